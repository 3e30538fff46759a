// Where acknowledged headers live. The chain gives records, the store keeps them in order. Made so
// that a database can take the place of the segments.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include <base/bytes.hpp>
#include <base/result.hpp>

namespace ethnet::store {

class ChainStore {
 public:
  using Visitor = std::function<Result<void>(ByteView record)>;

  ChainStore() = default;
  ChainStore(const ChainStore&) = delete;
  ChainStore& operator=(const ChainStore&) = delete;
  virtual ~ChainStore() = default;

  // All of them or none, on disk before it returns.
  [[nodiscard]] virtual Result<void> append(std::span<const Bytes> records) = 0;
  // Every record from the first; stops at the visitor's error and gives it back. Returns how many.
  [[nodiscard]] virtual Result<std::uint64_t> replay(const Visitor& visit) = 0;
};

}  // namespace ethnet::store
