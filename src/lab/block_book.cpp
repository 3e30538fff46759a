#include "block_book.hpp"

#include <utility>

#include <base/check.hpp>
#include <chain/producer.hpp>
#include <crypto/keccak.hpp>

namespace ethnet::lab {
namespace {

// The account of a producer: it follows from the name; nobody has its key.
Address address_named(const std::string& name) {
  Address out;
  if (name.empty()) return out;
  const crypto::Digest32 digest = crypto::keccak256(text_bytes(name));
  copy_into(out.bytes, ByteView{digest}.last(out.bytes.size()));
  return out;
}

}  // namespace

BlockBook::BlockBook(const Scenario& scenario) : genesis_{chain::lab_genesis()} {
  std::vector<Header> headers;
  const auto add = [&](BlockSpec spec, Header header) {
    LabBlock block{std::move(spec), header.number, header.hash(), {header.encode(), {}, {}}};
    by_name_[block.spec.name] = blocks_.size();
    by_hash_[block.hash] = blocks_.size();
    blocks_.push_back(std::move(block));
    headers.push_back(std::move(header));
  };
  BlockSpec first;
  first.name = kGenesisName;
  first.difficulty = 0;
  add(std::move(first), genesis_.header);
  for (const Step& step : scenario.steps) {
    for (const BlockSpec& spec : step.blocks) {
      const Header& parent = headers[by_name_.at(spec.parent)];
      Header header = chain::seal_header(genesis_.config, parent, spec.time,
                                         address_named(spec.producer), spec.name);
      header.difficulty = spec.difficulty;
      add(spec, std::move(header));
    }
  }
}

const LabBlock& BlockBook::block(const std::string& name) const {
  const auto it = by_name_.find(name);
  CHECK(it != by_name_.end());
  return blocks_[it->second];
}

const std::string& BlockBook::name_of(const Hash32& hash) const {
  const auto it = by_hash_.find(hash);
  CHECK(it != by_hash_.end());
  return blocks_[it->second].spec.name;
}

}  // namespace ethnet::lab
