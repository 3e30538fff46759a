#include "descriptor_list.hpp"

#include <array>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ethnet::observe {
namespace {

std::array<int, 2> socket_pair() {
  std::array<int, 2> out{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, out.data()), 0);
  return out;
}

TEST(DescriptorList, HasRoomForSoMany) {
  const auto pair = socket_pair();
  DescriptorList list;
  EXPECT_FALSE(list.has_room(0));
  list.add(pair[0]);
  EXPECT_TRUE(list.has_room(2));
  list.add(pair[1]);
  EXPECT_FALSE(list.has_room(2));
  ::close(pair[0]);
  EXPECT_TRUE(list.has_room(2)) << "one was closed";
  ::close(pair[1]);
}

TEST(DescriptorList, ADescriptorThatIsGivenAgainIsAnotherSocket) {
  const auto pair = socket_pair();
  DescriptorList list;
  list.add(pair[0]);
  ::close(pair[0]);
  const int again = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(again, pair[0]);
  EXPECT_TRUE(list.has_room(1));
  ::close(again);
  ::close(pair[1]);
}

}  // namespace
}  // namespace ethnet::observe
