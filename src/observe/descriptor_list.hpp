// How many of the sockets that were given away are still open. Who took them closes them and tells
// nobody; a socket has a number of its own in the system (its inode) that is not given again soon,
// so a descriptor that names the same one has not been closed. Threading: one thread.
#pragma once

#include <cstdint>
#include <vector>

namespace ethnet::observe {

class DescriptorList {
 public:
  // Forgets those that are closed. A look at each: O(most).
  [[nodiscard]] bool has_room(std::size_t most);
  // CHECK: it is open.
  void add(int descriptor);

 private:
  struct Entry {
    int descriptor = -1;
    std::uint64_t inode = 0;
  };
  std::vector<Entry> entries_;
};

}  // namespace ethnet::observe
