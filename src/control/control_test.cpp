// ethnet.Control from its client to a node and back, over a real Unix socket.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control_client.hpp"
#include "control_server.hpp"
#include "testing/driven_net.hpp"

namespace ethnet::control {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::uint32_t kChunk = 1'024;

node::NodeConfig with_das() {
  node::NodeConfig config;
  config.das.emplace().auto_sample = false;
  return config;
}

Bytes random_bytes(std::size_t size) {
  Bytes out(size);
  Prng prng{7};
  for (std::byte& b : out) b = static_cast<std::byte>(prng.below(256));
  return out;
}

class ControlTest : public ::testing::Test {
 protected:
  ControlTest() {
    fs::create_directories(folder);
    node::NodeConfig config = with_das();
    node::StaticPeer peer;
    peer.endpoint = other.at;
    config.peers = {peer};
    node::Box& served = driven.net.add(config, 2);
    driven.serve(served, desk);
    driven.net.run(seconds(1));
    open();
  }
  ~ControlTest() override {
    server.reset();
    fs::remove_all(folder);
  }
  void open() {
    server.emplace(ControlConfig{.path = path,
                                 .parse_peer = parse,
                                 .post = driven.post(),
                                 .stop = [this] { stopped = true; }},
                   desk);
  }
  static node::StaticPeer parse(const std::string& text) {
    const auto endpoint = Endpoint::parse(text);
    if (!endpoint) throw std::runtime_error("peer '" + text + "': no endpoint");
    node::StaticPeer peer;
    peer.endpoint = *endpoint;
    return peer;
  }
  // The line that the call fails with.
  template <class Call>
  std::string failure(Call call) {
    return driven.during([&]() -> std::string {
      try {
        call();
      } catch (const ControlError& error) {
        return error.what();
      }
      return "did not fail";
    });
  }
  Hash32 publish_on_other(const Bytes& data) {
    other.pump->input(driven.net.now_of(other), [&](node::Node& n) {
      ASSERT_TRUE(n.publish(driven.net.now_of(other), data, kChunk));
    });
    driven.net.run(seconds(1));
    for (const node::NodeEvent& event : other.events) {
      if (const auto* published = std::get_if<node::DataPublished>(&event)) {
        return published->data_id;
      }
    }
    ADD_FAILURE() << "not published";
    return {};
  }

  fs::path folder = fs::path{::testing::TempDir()} /
                    ("control_" + std::to_string(::getpid()) + "_" +
                     ::testing::UnitTest::GetInstance()->current_test_info()->name());
  std::string path = folder / "ethnet.ipc";
  DrivenNet driven;
  node::Box& other = driven.net.add(with_das(), 1);
  Desk desk;
  bool stopped = false;
  std::optional<ControlServer> server;
};

TEST_F(ControlTest, OnlyTheOwnerCanOpenTheSocketAndItGoesWithTheServer) {
  struct ::stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_TRUE(S_ISSOCK(info.st_mode));
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  server.reset();
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(ControlTest, ADataSetIsPublishedAndReadBack) {
  const Bytes data = random_bytes(3 * kMaxPieceBytes + 17);
  ControlClient client{path};
  const Published published = driven.during([&] { return client.publish(data, 0); });
  EXPECT_EQ(published.total_bytes, data.size());
  EXPECT_EQ(published.chunk_size, 16'384U);
  EXPECT_EQ(published.total_chunks, 193U);
  Bytes back;
  driven.during([&] {
    client.get(
        published.data_id, [](std::uint32_t, std::uint32_t) { FAIL() << "nothing is fetched"; },
        [&](ByteView bytes) { back.insert(back.end(), bytes.begin(), bytes.end()); });
    return 0;
  });
  EXPECT_EQ(back, data);
}

TEST_F(ControlTest, ADataSetOfAPeerIsSampledAndFetched) {
  const Bytes data = random_bytes(64 * kChunk);
  const Hash32 id = publish_on_other(data);
  ControlClient client{path};
  std::vector<Sampled> seen;
  const Sampled verdict = driven.during(
      [&] { return client.sample(id, 0, [&](const Sampled& s) { seen.push_back(s); }); });
  EXPECT_EQ(verdict.requested, 8U);
  EXPECT_EQ(verdict.received, 8U);
  EXPECT_EQ(verdict.confidence, 1.0);
  EXPECT_LT(verdict.fooled_probability, 1.0);
  EXPECT_TRUE(seen.back().done);

  std::uint32_t received = 0;
  Bytes back;
  driven.during([&] {
    client.get(
        id, [&](std::uint32_t now, std::uint32_t) { received = std::max(received, now); },
        [&](ByteView bytes) { back.insert(back.end(), bytes.begin(), bytes.end()); });
    return 0;
  });
  EXPECT_EQ(received, 64U);
  EXPECT_EQ(back, data);
}

TEST_F(ControlTest, WhatMakesNoSenseIsRefusedInWords) {
  ControlClient client{path};
  EXPECT_THAT(failure([&] { (void)client.publish({}, 0); }), HasSubstr("0 bytes in chunks of"));
  const Bytes some = random_bytes(10);
  EXPECT_THAT(failure([&] { (void)client.publish(some, 65'537); }), HasSubstr("65537"));
  const Bytes large = random_bytes(das::kMaxDataBytes + 1);
  EXPECT_THAT(failure([&] { (void)client.publish(large, 0); }), HasSubstr("33554432"));
  EXPECT_THAT(failure([&] { (void)client.sample(Hash32{}, 257, {}); }), HasSubstr("256"));
  const std::string unknown = "no such data set is known";
  EXPECT_THAT(failure([&] { (void)client.sample(Hash32{}, 8, {}); }), HasSubstr(unknown));
  EXPECT_THAT(failure([&] { client.get(Hash32{}, {}, {}); }), HasSubstr(unknown));
  EXPECT_THAT(failure([&] { (void)client.add_peer("nonsense"); }),
              HasSubstr("peer 'nonsense': no endpoint"));
}

TEST_F(ControlTest, PeersAreAddedAndRemoved) {
  ControlClient client{path};
  EXPECT_FALSE(driven.during([&] { return client.add_peer(other.at.to_string()); }));
  EXPECT_EQ(other.node->sessions().peer_count(), 1U);
  EXPECT_TRUE(driven.during([&] { return client.remove_peer(other.at.to_string()); }));
  driven.net.run(seconds(1));
  EXPECT_EQ(other.node->sessions().peer_count(), 0U);
  EXPECT_FALSE(driven.during([&] { return client.remove_peer(other.at.to_string()); }));
  EXPECT_TRUE(driven.during([&] { return client.add_peer(other.at.to_string()); }));
  driven.net.run(seconds(1));
  EXPECT_EQ(other.node->sessions().peer_count(), 1U);
}

TEST_F(ControlTest, TheNodeSaysWhereABlockStands) {
  ControlClient client{path};
  const Hash32 genesis = chain::dev_genesis().hash;
  const Explanation head = driven.during([&] { return client.explain(genesis); });
  EXPECT_EQ(head.standing, Explanation::Standing::canonical);
  EXPECT_EQ(head.head.hash, genesis);
  EXPECT_EQ(head.rule, "longest-chain");
  EXPECT_TRUE(head.rivals.empty());
  EXPECT_EQ(head.fork_point, std::nullopt);
  const Explanation none = driven.during([&] { return client.explain(Hash32{}); });
  EXPECT_EQ(none.standing, Explanation::Standing::unknown);
}

TEST_F(ControlTest, StopIsPassedOn) {
  ControlClient client{path};
  driven.during([&] {
    client.stop();
    return 0;
  });
  EXPECT_TRUE(stopped);
}

TEST_F(ControlTest, ACallThatWaitsEndsWithTheServer) {
  const Hash32 id = publish_on_other(random_bytes(64 * kChunk));
  auto waiting = std::async(std::launch::async, [&]() -> std::string {
    try {
      ControlClient client{path};
      (void)client.sample(id, 8, [](const Sampled&) {});
    } catch (const ControlError& error) {
      return error.what();
    }
    return "did not fail";
  });
  while (server->counters().front().value == 0) std::this_thread::yield();  // "control.calls"
  server.reset();                                                           // nobody has run a turn
  EXPECT_THAT(waiting.get(), HasSubstr("no node answers at"));
}

TEST_F(ControlTest, ASocketThatADeadProcessLeftIsTakenOver) {
  server.reset();
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::ranges::copy(path, address.sun_path);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
  ASSERT_TRUE(fs::exists(path));
  EXPECT_NO_THROW(open());
}

TEST_F(ControlTest, ASocketInUseAndAFileOfAnotherKindAreLeftAlone) {
  Desk second;
  const auto refusal = [&](const std::string& at) -> std::string {
    try {
      const ControlServer other_server{
          ControlConfig{.path = at, .parse_peer = parse, .post = driven.post(), .stop = {}},
          second};
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "was opened";
  };
  EXPECT_THAT(refusal(path), HasSubstr("somebody listens there"));
  EXPECT_TRUE(fs::is_socket(path));
  const std::string file = folder / "notes";
  std::ofstream{file} << "mine";
  EXPECT_THAT(refusal(file), HasSubstr("no socket"));
  EXPECT_TRUE(fs::is_regular_file(file));
  EXPECT_THAT(refusal(folder / std::string(120, 'x')), HasSubstr("107 bytes at most"));
  EXPECT_THAT(refusal(folder / "none" / "ethnet.ipc"), HasSubstr("No such file"));
}

TEST(ControlClient, SaysThatNoNodeAnswers) {
  ControlClient client{"/nonexistent/ethnet.ipc"};
  try {
    client.stop();
    FAIL() << "there is nobody";
  } catch (const ControlError& error) {
    EXPECT_THAT(error.what(), HasSubstr("no node answers at /nonexistent/ethnet.ipc"));
  }
}

}  // namespace
}  // namespace ethnet::control
