#include "dataset.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <base/check.hpp>
#include <crypto/keccak.hpp>

namespace ethnet::das {
namespace {

static_assert(std::uint64_t{1} << (kMaxProofBytes / 32) == kMaxChunks);

constexpr ByteArray<1> kIdPrefix{std::byte{0x02}};

std::string_view describe(std::uint16_t code) {
  switch (static_cast<DasError>(code)) {
    case DasError::no_data:
      return "no data";
    case DasError::too_much_data:
      return "more data than a data set holds";
    case DasError::bad_chunk_size:
      return "chunk size out of range";
    case DasError::too_many_chunks:
      return "more chunks than a data set has";
    case DasError::wrong_count:
      return "number of chunks does not follow from the sizes";
    case DasError::no_such_chunk:
      return "no such chunk";
    case DasError::wrong_size:
      return "chunk of the wrong size";
    case DasError::wrong_proof_size:
      return "proof of the wrong size";
    case DasError::not_of_data_set:
      return "chunk is not of this data set";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"das", describe};

ByteView cut(ByteView data, const Shape& shape, std::uint32_t index) {
  return data.subspan(std::size_t{index} * shape.chunk_size, chunk_bytes(shape, index));
}

}  // namespace

const ErrorDomain& error_domain(DasError) { return kDomain; }

Result<Shape> split_shape(std::uint64_t total_bytes, std::uint32_t chunk_size) {
  if (total_bytes == 0) return fail(DasError::no_data);
  if (total_bytes > kMaxDataBytes) return fail(DasError::too_much_data);
  if (chunk_size == 0 || chunk_size > kMaxChunkBytes) return fail(DasError::bad_chunk_size);
  const std::uint64_t chunks = (total_bytes + chunk_size - 1) / chunk_size;
  if (chunks > kMaxChunks) return fail(DasError::too_many_chunks);
  return Shape{static_cast<std::uint32_t>(chunks), chunk_size, total_bytes};
}

Result<void> check_shape(const Shape& shape) {
  const Shape cut = TRY(split_shape(shape.total_bytes, shape.chunk_size));
  if (cut.total_chunks != shape.total_chunks) return fail(DasError::wrong_count);
  return {};
}

std::size_t chunk_bytes(const Shape& shape, std::uint32_t index) {
  CHECK(index < shape.total_chunks);
  if (index + 1 < shape.total_chunks) return shape.chunk_size;
  return static_cast<std::size_t>(shape.total_bytes -
                                  std::uint64_t{shape.chunk_size} * (shape.total_chunks - 1));
}

DataId data_id_of(const Hash32& root, const Shape& shape) {
  Bytes sizes;
  append_be<std::uint32_t>(sizes, shape.total_chunks);
  append_be<std::uint32_t>(sizes, shape.chunk_size);
  append_be<std::uint64_t>(sizes, shape.total_bytes);
  crypto::Keccak256 hash;
  hash.update(kIdPrefix);
  hash.update(root.view());
  hash.update(sizes);
  return {hash.finish()};
}

Result<VerifiedChunk> verify_chunk(const DataKey& key, std::uint32_t index, Bytes bytes,
                                   Bytes proof) {
  const std::uint32_t count = key.shape.total_chunks;
  if (index >= count) return fail(DasError::no_such_chunk);
  if (bytes.size() != chunk_bytes(key.shape, index)) return fail(DasError::wrong_size);
  if (proof.size() != proof_size(index, count)) return fail(DasError::wrong_proof_size);
  const Hash32 root = fold_proof(leaf_hash(index, bytes), index, count, proof);
  if (data_id_of(root, key.shape) != key.id) return fail(DasError::not_of_data_set);
  return VerifiedChunk{key, index, std::move(bytes), std::move(proof)};
}

Result<DataSet> DataSet::make(Bytes bytes, std::uint32_t chunk_size) {
  const Shape shape = TRY(split_shape(bytes.size(), chunk_size));
  Blob blob = std::make_shared<const Bytes>(std::move(bytes));
  const Bytes output = hash_work(blob, shape)();
  return from_work(std::move(blob), shape, output);
}

std::function<Bytes()> DataSet::hash_work(const Blob& blob, const Shape& shape) {
  CHECK(blob != nullptr && blob->size() == shape.total_bytes);
  return [blob, shape] {
    std::vector<Hash32> leaves;
    leaves.reserve(shape.total_chunks);
    for (std::uint32_t i = 0; i < shape.total_chunks; ++i) {
      leaves.push_back(leaf_hash(i, cut(*blob, shape, i)));
    }
    const MerkleTree tree{std::move(leaves)};
    Bytes output;
    output.reserve(tree.memory_bytes());
    for (const Hash32& node : tree.nodes()) append(output, node.view());
    return output;
  };
}

DataSet DataSet::from_work(Blob blob, const Shape& shape, ByteView output) {
  CHECK(blob != nullptr && blob->size() == shape.total_bytes);
  CHECK(output.size() % sizeof(Hash32) == 0);
  std::vector<Hash32> nodes(output.size() / sizeof(Hash32));
  for (Hash32& node : nodes) {
    copy_into(node.bytes, output.first(node.bytes.size()));
    output = output.subspan(node.bytes.size());
  }
  return DataSet{std::move(blob), shape,
                 MerkleTree::from_nodes(shape.total_chunks, std::move(nodes))};
}

DataSet::DataSet(Blob blob, const Shape& shape, MerkleTree tree)
    : blob_{std::move(blob)},
      tree_{std::move(tree)},
      key_{data_id_of(tree_.root(), shape), shape} {}

ByteView DataSet::chunk(std::uint32_t index) const { return cut(*blob_, key_.shape, index); }

}  // namespace ethnet::das
