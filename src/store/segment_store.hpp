// Flat append segments with checksums.
//
// <dir>/LOCK            held while the store is open
// <dir>/FORMAT          "ethnet-chain 1\n"
// <dir>/chain/000001.seg, 000002.seg, …
//   segment  magic "ETHNSEG1" (8 bytes), then batches
//   batch    payload size (4 bytes, big-endian), CRC-32C of the size (4), of the payload (4),
//   payload payload  records: size (4), bytes
//
// A batch is all or nothing. At open every checksum is verified. What is wrong at the very end of
// the last segment (a batch cut short, or any of its bytes missing, with no whole batch behind it)
// is a torn write that nobody was told about, and is cut off. Anything else is corruption: an error
// that names file and offset; so is a segment that is not there. (A flipped bit in the very last
// batch cannot be told from a torn write, and is cut off as one.)
// A segment is closed at kSegmentBytes. Where the process has no file descriptor for the next one,
// the last grows on, and each batch tries again: the store survives the exhaustion of descriptors
// (attack 10). At kMaxSegmentStretch times its size append() fails, as on a full disk.
// Threading: one thread. Limits: kMaxBatchBytes, kMaxSegmentStretch.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "chain_store.hpp"
#include "file_system.hpp"

namespace ethnet::store {

enum class StoreError : std::uint16_t {
  unknown_format = 1,  // FORMAT names another version
  corrupt,             // offset: of the batch in OpenReport::file
  batch_too_large,
  failed_before,    // after a failed append nothing more is taken
  missing_segment,  // OpenReport::file is not there, but later ones are
};
[[nodiscard]] const ErrorDomain& error_domain(StoreError);

inline constexpr std::size_t kMaxBatchBytes = 64 * 1024 * 1024;  // one batch; it is read whole
inline constexpr std::size_t kSegmentBytes = 64 * 1024 * 1024;
// Times kSegmentBytes, without a descriptor for the next segment: a start reads each one whole.
inline constexpr std::size_t kMaxSegmentStretch = 4;

struct OpenReport {
  std::size_t segments = 0;
  std::uint64_t batches = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes_cut = 0;  // of a torn write
  std::string file;             // what an error is about
};

class SegmentStore final : public ChainStore {
 private:
  struct Private {};  // makes the constructor ours alone, std::make_unique included

 public:
  // Errors: FileError (locked: another process has it), StoreError. `report` is filled in any case.
  [[nodiscard]] static Result<std::unique_ptr<SegmentStore>> open(
      FileSystem& files, std::string directory, OpenReport& report,
      std::size_t segment_bytes = kSegmentBytes);

  SegmentStore(Private, FileSystem& files, std::string directory, std::size_t segment_bytes);

  [[nodiscard]] Result<void> append(std::span<const Bytes> records) override;
  [[nodiscard]] Result<std::uint64_t> replay(const Visitor& visit) override;

  // Batches that went into a segment that was due to be closed, for want of a descriptor.
  [[nodiscard]] std::uint64_t segments_postponed() const { return segments_postponed_; }

 private:
  [[nodiscard]] Result<void> check_format();
  [[nodiscard]] Result<void> count_segments(OpenReport& report);
  [[nodiscard]] Result<void> verify(OpenReport& report);
  [[nodiscard]] Result<void> open_last();
  [[nodiscard]] Result<void> next_segment(std::size_t batch_bytes);
  [[nodiscard]] Result<void> begin_segment();
  [[nodiscard]] std::string path_of(std::size_t segment) const;

  FileSystem& files_;
  std::string directory_;
  std::size_t segment_bytes_;
  std::unique_ptr<FileLock> lock_;
  std::size_t last_ = 0;  // number of the last segment; 0: none yet
  std::uint64_t size_ = 0;
  std::unique_ptr<File> file_;
  bool failed_ = false;
  std::uint64_t segments_postponed_ = 0;
};

}  // namespace ethnet::store
