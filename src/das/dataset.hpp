// A data set: bytes cut into chunks of one size, under one name that commits to all of it.
//
//   leaf i   = keccak(0x00 ‖ i ‖ bytes of chunk i)          i as 4 bytes, big-endian
//   node     = keccak(0x01 ‖ left ‖ right)                  merkle.hpp
//   data_id  = keccak(0x02 ‖ root ‖ total_chunks ‖ chunk_size ‖ total_bytes)     4, 4, 8 bytes
//
// The first byte keeps the three kinds apart, so that no node passes as a chunk (a second
// preimage), and the name binds the sizes, so that a chunk cannot be judged against a tree of
// another form. Nobody has to be told the root: it follows from any chunk and its proof, and is
// right when the name that follows from it is. Spec: docs/spec/das-lite.md.
//
// The seam for what follows this:
//   erasure coding           between split_shape() and hash_work(): the bytes that are cut are then
//                            those of the extended data; min_withheld() in confidence.hpp falls
//                            from 1 chunk to more than half, and nothing else changes.
//   polynomial commitments   verify_chunk() is the one gate through which a chunk becomes a
//                            VerifiedChunk, and its proof is an opaque string to everybody else
//                            (store, wire, engine): another scheme is another body of that function
//                            and of DataSet::proof(), under another version of the protocol.
//
// Threading: values; DataSet shares its bytes immutably. Limits: below.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <types/hash.hpp>

#include "merkle.hpp"

namespace ethnet::das {

// One chunk is hashed as it arrives, not in a job: 64 KiB take a fifth of a millisecond.
inline constexpr std::uint32_t kMaxChunkBytes = 64 * 1024;
inline constexpr std::uint32_t kMaxChunks = 4096;  // of a data set; a proof has 12 hashes at most
inline constexpr std::uint64_t kMaxDataBytes = 32 * 1024 * 1024;  // of a data set, all in memory
inline constexpr std::size_t kMaxProofBytes = 12 * 32;            // 12 = log2(kMaxChunks)

enum class DasError : std::uint16_t {
  no_data = 1,
  too_much_data,
  bad_chunk_size,
  too_many_chunks,
  wrong_count,    // total_chunks is not what the two sizes give
  no_such_chunk,  // an index at or above total_chunks
  wrong_size,     // a chunk that is not as long as its place demands
  wrong_proof_size,
  not_of_data_set,  // the chunk does not lead to the name
};
[[nodiscard]] const ErrorDomain& error_domain(DasError);

struct DataIdTag;
using DataId = Bytes32<DataIdTag>;

struct Shape {
  std::uint32_t total_chunks = 0;
  std::uint32_t chunk_size = 0;   // bytes of every chunk but the last, which may be shorter
  std::uint64_t total_bytes = 0;  // of the data
  friend auto operator<=>(const Shape&, const Shape&) = default;
};

// What is announced. Only one shape under a name can be true, and only a chunk shows which.
struct DataKey {
  DataId id;
  Shape shape;
  friend auto operator<=>(const DataKey&, const DataKey&) = default;
};

// How `total_bytes` are cut. Errors: no_data, too_much_data, bad_chunk_size, too_many_chunks.
[[nodiscard]] Result<Shape> split_shape(std::uint64_t total_bytes, std::uint32_t chunk_size);
// A shape that somebody claims. Errors: those of split_shape, wrong_count.
[[nodiscard]] Result<void> check_shape(const Shape& shape);
// How long chunk `index` is. CHECK: the shape is a good one, and has that chunk.
[[nodiscard]] std::size_t chunk_bytes(const Shape& shape, std::uint32_t index);
[[nodiscard]] DataId data_id_of(const Hash32& root, const Shape& shape);

// A chunk that belongs where it says: there is none that was not verified.
class VerifiedChunk {
 public:
  [[nodiscard]] const DataKey& key() const { return key_; }
  [[nodiscard]] std::uint32_t index() const { return index_; }
  [[nodiscard]] ByteView bytes() const { return bytes_; }
  [[nodiscard]] ByteView proof() const { return proof_; }

 private:
  friend Result<VerifiedChunk> verify_chunk(const DataKey&, std::uint32_t, Bytes, Bytes);
  VerifiedChunk(const DataKey& key, std::uint32_t index, Bytes bytes, Bytes proof)
      : key_{key}, index_{index}, bytes_{std::move(bytes)}, proof_{std::move(proof)} {}

  DataKey key_;
  std::uint32_t index_;
  Bytes bytes_;
  Bytes proof_;
};

// The gate. What costs nothing is judged first: a chunk of the wrong length is not hashed. CHECK:
// the shape is a good one. Errors: no_such_chunk, wrong_size, wrong_proof_size, not_of_data_set.
[[nodiscard]] Result<VerifiedChunk> verify_chunk(const DataKey& key, std::uint32_t index,
                                                 Bytes bytes, Bytes proof);

// A data set that is held whole, with its tree: gives any chunk with its proof.
class DataSet {
 public:
  using Blob = std::shared_ptr<const Bytes>;

  // Hashes everything here and now: for tests and tools. Errors: those of split_shape.
  [[nodiscard]] static Result<DataSet> make(Bytes bytes, std::uint32_t chunk_size);

  // The same in two halves, since 32 MiB take a tenth of a second: hash_work() is the work of a
  // Job, whose output from_work() takes. CHECK: `output` is of that work.
  [[nodiscard]] static std::function<Bytes()> hash_work(const Blob& blob, const Shape& shape);
  [[nodiscard]] static DataSet from_work(Blob blob, const Shape& shape, ByteView output);

  [[nodiscard]] const DataKey& key() const { return key_; }
  [[nodiscard]] const Shape& shape() const { return key_.shape; }
  [[nodiscard]] ByteView chunk(std::uint32_t index) const;
  [[nodiscard]] Bytes proof(std::uint32_t index) const { return tree_.proof(index); }
  // What it holds: the data and its tree.
  [[nodiscard]] std::size_t memory_bytes() const { return blob_->size() + tree_.memory_bytes(); }

 private:
  DataSet(Blob blob, const Shape& shape, MerkleTree tree);

  Blob blob_;
  MerkleTree tree_;
  DataKey key_;
};

}  // namespace ethnet::das
