// Codecs, values and files.
#include <codec/rlp_reader.hpp>
#include <codec/snappy_block.hpp>
#include <store/memory_file_system.hpp>
#include <store/segment_store.hpp>
#include <types/enode_url.hpp>
#include <types/enr.hpp>
#include <types/genesis.hpp>
#include <types/header.hpp>
#include <types/header_view.hpp>

#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

std::string text_of(ByteView input) {
  std::string text;
  for (const std::byte b : input) text.push_back(static_cast<char>(b));
  return text;
}

// Walks everything; how many items there are.
std::size_t walk(rlp::Reader in) {
  std::size_t items = 0;
  while (!in.at_end()) {
    const auto kind = in.peek();
    if (!kind) return items;
    if (*kind == rlp::Kind::list) {
      const auto inner = in.enter_list();
      if (!inner) return items;
      items += walk(*inner);
    } else if (!in.read_bytes()) {
      return items;
    }
    ++items;
  }
  return items;
}

}  // namespace

void run_rlp(ByteView input) {
  const bool valid = rlp::validate(input).has_value();
  const std::size_t items = walk(rlp::Reader{input});
  CHECK(items <= input.size());
  if (valid) CHECK(items >= 1);
  rlp::Reader in{input};
  (void)in.count_items();
  (void)in.read_uint<std::uint64_t>();
  (void)in.read_fixed<32>();
  (void)in.read_bool();
}

void run_snappy(ByteView input) {
  constexpr std::size_t kMax = 1 << 20;
  const auto claimed = snappy::claimed_size(input);
  const auto plain = snappy::decompress(input, kMax);
  if (!plain) return;
  CHECK(claimed.has_value() && *claimed == plain->size() && plain->size() <= kMax);
  CHECK(snappy::decompress(snappy::compress(*plain), kMax) == *plain);
}

void run_enr(ByteView input) {
  if (const auto record = Enr::decode(input)) {
    CHECK(equal(record->encoded(), input));
    CHECK(Enr::parse(record->text()) == *record);
    (void)record->ip();
    (void)record->ip6();
    (void)record->endpoint_v4("udp");
    (void)record->endpoint_v6("quic");
    (void)record->fork_id();
    record->for_each_pair([](ByteView, ByteView) {});
  }
  if (const auto verified = VerifiedEnr::decode(input)) {
    CHECK(equal(verified->record().encoded(), input));
  }
  const std::string text = text_of(input);
  if (const auto record = Enr::parse(text)) CHECK(record->text() == text);
}

void run_enode_url(ByteView input) {
  const auto url = EnodeUrl::parse(text_of(input));
  if (!url) return;
  CHECK(EnodeUrl::parse(url->to_string()) == *url);
}

void run_header(ByteView input) {
  const auto header = Header::decode(input);
  const auto view = HeaderView::decode(input);
  CHECK(view.has_value() == header.has_value());
  if (view) CHECK(equal(view->to_header().encode(), input));
  if (!header) return;
  CHECK(equal(header->encode(), input));
}

void run_genesis(ByteView input) {
  const auto genesis = read_genesis(text_of(input));
  if (genesis) {
    CHECK(genesis->hash == genesis->header.hash());
    (void)genesis->fork_schedule();
  } else {
    CHECK(!genesis.error().message().empty());
  }
}

// The input is the only segment of a store. What opens stays as it is: a second start reads the
// same records and has nothing left to cut off.
void run_store_segment(ByteView input) {
  store::MemoryFileSystem files;
  const std::string segment = "d/chain/000001.seg";
  const auto open = [&](store::OpenReport& report) {
    return store::SegmentStore::open(files, "d", report);
  };
  {
    store::OpenReport report;
    CHECK(open(report).has_value());
  }
  files.content(segment) = to_bytes(input);
  std::vector<Bytes> records;
  {
    store::OpenReport report;
    const auto store = open(report);
    if (!store) return;
    const auto read = (*store)->replay([&](ByteView record) -> Result<void> {
      records.push_back(to_bytes(record));
      return {};
    });
    CHECK(read.has_value() && report.records == records.size());
    records.push_back(to_bytes(text_bytes("one more")));
    CHECK((*store)->append(std::span{records}.last(1)).has_value());
  }
  store::OpenReport again;
  const auto store = open(again);
  CHECK(store.has_value() && again.bytes_cut == 0 && again.records == records.size());
}

}  // namespace ethnet::fuzz
