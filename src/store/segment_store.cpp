#include "segment_store.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "crc32c.hpp"

namespace ethnet::store {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<StoreError>(code)) {
    case StoreError::unknown_format:
      return "data of another format version";
    case StoreError::corrupt:
      return "corrupt batch";
    case StoreError::batch_too_large:
      return "batch too large";
    case StoreError::failed_before:
      return "an earlier write failed";
    case StoreError::missing_segment:
      return "a segment is missing";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"store", describe};

constexpr std::string_view kMagic = "ETHNSEG1";
constexpr std::string_view kFormat = "ethnet-chain 1\n";
constexpr std::size_t kBatchHeader = 12;

enum class Verdict : std::uint8_t { whole, torn, corrupt };

struct ReadBatch {
  Verdict verdict = Verdict::torn;
  ByteView payload;
};

bool all_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

// The payload size that the batch at the start of `bytes` gives, when its checksum holds.
std::optional<std::size_t> batch_size(ByteView bytes) {
  if (bytes.size() < kBatchHeader) return std::nullopt;
  if (crc32c(bytes.first(4)) != load_be<std::uint32_t>(bytes.subspan(4, 4))) return std::nullopt;
  return load_be<std::uint32_t>(bytes.first(4));
}

bool whole_batch(ByteView bytes) {
  const auto size = batch_size(bytes);
  return size && *size <= bytes.size() - kBatchHeader &&
         crc32c(bytes.subspan(kBatchHeader, *size)) == load_be<std::uint32_t>(bytes.subspan(8, 4));
}

// Judges the batch at the start of `bytes`, which go to the end of the segment.
ReadBatch read_batch(ByteView bytes) {
  const auto size = batch_size(bytes);
  if (!size) {
    // The pages of one write reach the disk in any order, so its header may be what is missing.
    // A whole batch further on shows that this one had been acknowledged. Only ever on this path
    // is every byte looked at.
    for (std::size_t at = 1; at + kBatchHeader <= bytes.size(); ++at) {
      if (whole_batch(bytes.subspan(at))) return {Verdict::corrupt, {}};
    }
    return {};
  }
  if (*size > kMaxBatchBytes) return {Verdict::corrupt, {}};
  const ByteView rest = bytes.subspan(kBatchHeader);
  if (*size > rest.size()) return {};
  if (whole_batch(bytes)) return {Verdict::whole, rest.first(*size)};
  return {*size == rest.size() ? Verdict::torn : Verdict::corrupt, {}};
}

// Calls visit for each record; false when the payload is not made of whole records.
Result<bool> each_record(ByteView payload, const ChainStore::Visitor& visit) {
  while (!payload.empty()) {
    if (payload.size() < 4) return false;
    const auto size = load_be<std::uint32_t>(payload.first(4));
    if (size > payload.size() - 4) return false;
    TRY(visit(payload.subspan(4, size)));
    payload = payload.subspan(4 + std::size_t{size});
  }
  return true;
}

}  // namespace

const ErrorDomain& error_domain(StoreError) { return kDomain; }

SegmentStore::SegmentStore(Private, FileSystem& files, std::string directory,
                           std::size_t segment_bytes)
    : files_{files}, directory_{std::move(directory)}, segment_bytes_{segment_bytes} {}

std::string SegmentStore::path_of(std::size_t segment) const {
  return fmt::format("{}/chain/{:06}.seg", directory_, segment);
}

Result<std::unique_ptr<SegmentStore>> SegmentStore::open(FileSystem& files, std::string directory,
                                                         OpenReport& report,
                                                         std::size_t segment_bytes) {
  auto store =
      std::make_unique<SegmentStore>(Private{}, files, std::move(directory), segment_bytes);
  report.file = store->directory_;
  TRY(files.make_directory(store->directory_ + "/chain"));
  report.file = store->directory_ + "/LOCK";
  store->lock_ = TRY(files.lock(report.file));
  report.file = store->directory_ + "/FORMAT";
  TRY(store->check_format());
  TRY(store->count_segments(report));
  TRY(store->verify(report));
  TRY(store->open_last());
  report.file.clear();
  return store;
}

Result<void> SegmentStore::check_format() {
  const std::string path = directory_ + "/FORMAT";
  Bytes found;
  if (files_.exists(path)) found = TRY(files_.read(path));
  const ByteView wanted = text_bytes(kFormat);
  if (equal(found, wanted)) return {};
  // The first start was cut short while it wrote this.
  const bool begun = found.size() < wanted.size() && equal(found, wanted.first(found.size()));
  if (!begun && !all_zero(found)) return fail(StoreError::unknown_format);
  const auto file = TRY(files_.open(path));
  TRY(file->truncate(0));
  TRY(file->append(wanted));
  return file->sync();
}

// Finds the last segment; all before it must be there.
Result<void> SegmentStore::count_segments(OpenReport& report) {
  report.file = directory_ + "/chain";
  const std::vector<std::string> names = TRY(files_.list(report.file));
  last_ = static_cast<std::size_t>(
      std::ranges::count_if(names, [](const auto& name) { return name.ends_with(".seg"); }));
  report.segments = last_;
  for (std::size_t segment = 1; segment <= last_; ++segment) {
    report.file = path_of(segment);
    if (!files_.exists(report.file)) return fail(StoreError::missing_segment);
  }
  return {};
}

// Checks every batch of every segment; cuts off a torn end of the last.
Result<void> SegmentStore::verify(OpenReport& report) {
  for (std::size_t segment = 1; segment <= last_; ++segment) {
    report.file = path_of(segment);
    const bool is_last = segment == last_;
    const Bytes bytes = TRY(files_.read(report.file));
    std::size_t at = kMagic.size();
    const bool magic = bytes.size() >= at && equal(ByteView{bytes}.first(at), text_bytes(kMagic));
    if (!magic) {
      // The segment was being made when the power went.
      const bool torn = is_last && (bytes.size() < at || all_zero(bytes));
      if (!torn) return fail(StoreError::corrupt, 0);
      at = 0;
    }
    const auto count = [&](ByteView) -> Result<void> {
      ++report.records;
      return {};
    };
    while (magic && at < bytes.size()) {
      const ReadBatch batch = read_batch(ByteView{bytes}.subspan(at));
      if (batch.verdict == Verdict::corrupt) return fail(StoreError::corrupt, at);
      if (batch.verdict == Verdict::torn) break;
      const bool whole = TRY(each_record(batch.payload, count));
      if (!whole) return fail(StoreError::corrupt, at);
      ++report.batches;
      at += kBatchHeader + batch.payload.size();
    }
    if (at < bytes.size() || !magic) {
      if (!is_last) return fail(StoreError::corrupt, at);
      report.bytes_cut = bytes.size() - at;
      const auto file = TRY(files_.open(report.file));
      TRY(file->truncate(at));
    }
    size_ = at;
  }
  return {};
}

Result<void> SegmentStore::open_last() {
  const bool fresh = last_ == 0;
  if (fresh) last_ = 1;
  file_ = TRY(files_.open(path_of(last_)));
  if (fresh || size_ < kMagic.size()) return begin_segment();
  return {};
}

Result<void> SegmentStore::begin_segment() {
  TRY(file_->append(text_bytes(kMagic)));
  TRY(file_->sync());
  size_ = kMagic.size();
  return {};
}

Result<void> SegmentStore::next_segment(std::size_t batch_bytes) {
  auto next = files_.open(path_of(last_ + 1));
  if (!next && next.error().is(FileError::no_descriptors) &&
      size_ + batch_bytes <= kMaxSegmentStretch * segment_bytes_) {
    ++segments_postponed_;
    return {};
  }
  if (!next) return std::unexpected(next.error());
  ++last_;
  file_ = std::move(*next);
  return begin_segment();
}

Result<void> SegmentStore::append(std::span<const Bytes> records) {
  if (failed_) return fail(StoreError::failed_before);
  Bytes batch(kBatchHeader);
  for (const Bytes& record : records) {
    append_be<std::uint32_t>(batch, static_cast<std::uint32_t>(record.size()));
    ethnet::append(batch, record);
    if (batch.size() - kBatchHeader > kMaxBatchBytes) return fail(StoreError::batch_too_large);
  }
  const MutByteView view = batch;
  const MutByteView payload = view.subspan(kBatchHeader);
  store_be<std::uint32_t>(view.first(4), static_cast<std::uint32_t>(payload.size()));
  store_be<std::uint32_t>(view.subspan(4, 4), crc32c(view.first(4)));
  store_be<std::uint32_t>(view.subspan(8, 4), crc32c(payload));
  // Whatever fails from here on may have left a part behind: only a new start can tell.
  failed_ = true;
  if (size_ > kMagic.size() && size_ + batch.size() > segment_bytes_) {
    TRY(next_segment(batch.size()));
  }
  TRY(file_->append(batch));
  TRY(file_->sync());
  size_ += batch.size();
  failed_ = false;
  return {};
}

Result<std::uint64_t> SegmentStore::replay(const Visitor& visit) {
  std::uint64_t records = 0;
  const Visitor counted = [&](ByteView record) -> Result<void> {
    ++records;
    return visit(record);
  };
  for (std::size_t segment = 1; segment <= last_; ++segment) {
    const Bytes bytes = TRY(files_.read(path_of(segment)));
    ByteView rest = ByteView{bytes}.subspan(kMagic.size());
    while (!rest.empty()) {
      const ReadBatch batch = read_batch(rest);
      const std::size_t at = bytes.size() - rest.size();
      if (batch.verdict != Verdict::whole) return fail(StoreError::corrupt, at);
      const bool whole = TRY(each_record(batch.payload, counted));
      if (!whole) return fail(StoreError::corrupt, at);
      rest = rest.subspan(kBatchHeader + batch.payload.size());
    }
  }
  return records;
}

}  // namespace ethnet::store
