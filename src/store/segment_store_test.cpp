#include "segment_store.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crc32c.hpp"
#include "memory_file_system.hpp"
#include "posix_file_system.hpp"

namespace ethnet::store {
namespace {

constexpr const char* kSegment = "d/chain/000001.seg";

std::vector<Bytes> batch_of(std::uint8_t tag, std::size_t records) {
  std::vector<Bytes> out;
  for (std::size_t i = 0; i < records; ++i) {
    out.emplace_back(10 + i, static_cast<std::byte>(tag));
  }
  return out;
}

Result<std::unique_ptr<SegmentStore>> open(FileSystem& files, OpenReport& report,
                                           std::size_t segment_bytes = kSegmentBytes) {
  return SegmentStore::open(files, "d", report, segment_bytes);
}

std::vector<Bytes> contents(SegmentStore& store) {
  std::vector<Bytes> out;
  const auto n = store.replay([&](ByteView record) -> Result<void> {
    out.push_back(to_bytes(record));
    return {};
  });
  EXPECT_TRUE(n.has_value());
  return out;
}

TEST(Crc32c, KnownValue) {
  EXPECT_EQ(crc32c(text_bytes("123456789")), 0xe3069283U);  // RFC 3720's check value
}

TEST(SegmentStore, ReplaysWhatWasAppendedOverSegments) {
  MemoryFileSystem files;
  std::vector<Bytes> expected;
  {
    OpenReport report;
    const auto store = open(files, report, 200);
    ASSERT_TRUE(store.has_value());
    for (std::uint8_t i = 0; i < 20; ++i) {
      const auto batch = batch_of(i, 1 + i % 3);
      ASSERT_TRUE((*store)->append(batch).has_value());
      expected.insert(expected.end(), batch.begin(), batch.end());
    }
  }
  OpenReport report;
  const auto store = open(files, report, 200);
  ASSERT_TRUE(store.has_value());
  EXPECT_GT(report.segments, 3U);
  EXPECT_EQ(report.batches, 20U);
  EXPECT_EQ(report.records, expected.size());
  EXPECT_EQ(report.bytes_cut, 0U);
  EXPECT_EQ(contents(**store), expected);
}

// A crash at every byte of a write that was not acknowledged: everything before it is there,
// nothing of it, and the store goes on.
TEST(SegmentStore, EveryCrashPointKeepsWhatWasAcknowledgedAndNothingHalf) {
  const auto first = batch_of(1, 3);
  const auto second = batch_of(2, 2);
  std::size_t batch_bytes = 12;
  for (const Bytes& record : second) batch_bytes += 4 + record.size();
  for (std::size_t kept = 0; kept < batch_bytes; ++kept) {
    MemoryFileSystem files;
    {
      OpenReport report;
      auto store = open(files, report);
      ASSERT_TRUE((*store)->append(first).has_value());
      files.fail_append(0, kept);
      ASSERT_FALSE((*store)->append(second).has_value());
      EXPECT_TRUE((*store)->append(second).error().is(StoreError::failed_before));
    }
    files.crash_keeping(kept);
    OpenReport report;
    auto store = open(files, report);
    ASSERT_TRUE(store.has_value()) << "crash after " << kept << " bytes";
    EXPECT_EQ(report.bytes_cut, kept);
    EXPECT_EQ(contents(**store), first);
    ASSERT_TRUE((*store)->append(second).has_value());
    EXPECT_EQ(contents(**store).size(), first.size() + second.size());
  }
}

TEST(SegmentStore, ACrashWhileASegmentIsMadeIsRepaired) {
  MemoryFileSystem files;
  {
    OpenReport report;
    auto store = open(files, report, 64);
    ASSERT_TRUE((*store)->append(batch_of(1, 3)).has_value());
    files.fail_append(0, 3);  // the magic of the second segment
    ASSERT_FALSE((*store)->append(batch_of(2, 3)).has_value());
  }
  files.crash_keeping(3);
  OpenReport report;
  auto store = open(files, report, 64);
  ASSERT_TRUE(store.has_value());
  EXPECT_EQ(contents(**store), batch_of(1, 3));
  ASSERT_TRUE((*store)->append(batch_of(3, 1)).has_value());
  EXPECT_EQ(contents(**store).size(), 4U);
}

// A flipped bit is found wherever it is; in the very last batch it looks like a torn write.
TEST(SegmentStore, EveryFlippedBitIsFound) {
  const auto first = batch_of(1, 2);
  const auto second = batch_of(2, 2);
  MemoryFileSystem pristine;
  std::size_t first_end = 0;
  {
    OpenReport report;
    auto store = open(pristine, report, 60);
    ASSERT_TRUE((*store)->append(first).has_value());
    first_end = pristine.content(kSegment).size();
    ASSERT_TRUE((*store)->append(second).has_value());
    ASSERT_TRUE(pristine.exists("d/chain/000002.seg"));
  }
  for (std::size_t bit = 0; bit < first_end * 8; ++bit) {
    MemoryFileSystem files;
    files.content("d/FORMAT") = pristine.content("d/FORMAT");
    files.content(kSegment) = pristine.content(kSegment);
    files.content("d/chain/000002.seg") = pristine.content("d/chain/000002.seg");
    files.content(kSegment)[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    OpenReport report;
    const auto store = open(files, report, 60);
    ASSERT_FALSE(store.has_value()) << "bit " << bit;
    EXPECT_TRUE(store.error().is(StoreError::corrupt));
    EXPECT_EQ(report.file, kSegment);
  }
}

// Pages of one unsynced write reach the disk in any order: what is missing reads as zeros.
TEST(SegmentStore, ATornWriteWithHolesIsCutOffWhereverTheyAre) {
  const auto first = batch_of(1, 3);
  const auto second = batch_of(2, 4);
  MemoryFileSystem written;
  std::size_t at = 0;
  {
    OpenReport report;
    auto store = open(written, report);
    ASSERT_TRUE((*store)->append(first).has_value());
    at = written.content(kSegment).size();
    ASSERT_TRUE((*store)->append(second).has_value());
  }
  const Bytes whole = written.content(kSegment);
  for (std::size_t from = at; from < whole.size(); ++from) {
    for (const std::size_t to : {from + 1, from + 5, whole.size()}) {
      MemoryFileSystem files;
      files.content("d/FORMAT") = written.content("d/FORMAT");
      Bytes torn = whole;
      std::fill(torn.begin() + static_cast<std::ptrdiff_t>(from),
                torn.begin() + static_cast<std::ptrdiff_t>(std::min(to, torn.size())),
                std::byte{0});
      if (torn == whole) continue;
      files.content(kSegment) = torn;
      OpenReport report;
      const auto store = open(files, report);
      ASSERT_TRUE(store.has_value()) << "zeros from " << from - at << " to " << to - at;
      EXPECT_EQ(report.bytes_cut, whole.size() - at);
      EXPECT_EQ(contents(**store), first);
    }
  }
}

// With a whole batch behind it, a broken batch is not a torn end, the last segment included.
TEST(SegmentStore, AFlippedBitBeforeAWholeBatchOfTheLastSegmentIsFound) {
  MemoryFileSystem pristine;
  std::size_t first_end = 0;
  {
    OpenReport report;
    auto store = open(pristine, report);
    ASSERT_TRUE((*store)->append(batch_of(1, 2)).has_value());
    first_end = pristine.content(kSegment).size();
    ASSERT_TRUE((*store)->append(batch_of(2, 2)).has_value());
  }
  for (std::size_t bit = 0; bit < first_end * 8; ++bit) {
    MemoryFileSystem files;
    files.content("d/FORMAT") = pristine.content("d/FORMAT");
    files.content(kSegment) = pristine.content(kSegment);
    files.content(kSegment)[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    OpenReport report;
    const auto store = open(files, report);
    ASSERT_FALSE(store.has_value()) << "bit " << bit;
    EXPECT_TRUE(store.error().is(StoreError::corrupt));
  }
}

TEST(SegmentStore, AMissingSegmentIsFound) {
  MemoryFileSystem pristine;
  {
    OpenReport report;
    auto store = open(pristine, report, 60);
    for (std::uint8_t i = 0; i < 3; ++i) ASSERT_TRUE((*store)->append(batch_of(i, 2)).has_value());
    ASSERT_TRUE(pristine.exists("d/chain/000003.seg"));
  }
  for (const std::string missing : {kSegment, "d/chain/000002.seg"}) {
    MemoryFileSystem files;
    for (const std::string path :
         {"d/FORMAT", kSegment, "d/chain/000002.seg", "d/chain/000003.seg"}) {
      if (path != missing) files.content(path) = pristine.content(path);
    }
    OpenReport report;
    const auto store = open(files, report, 60);
    ASSERT_FALSE(store.has_value()) << missing;
    EXPECT_TRUE(store.error().is(StoreError::missing_segment));
    EXPECT_EQ(report.file, missing);
  }
}

// The power goes, or the disk is full, at any byte of the first start.
TEST(SegmentStore, AFirstStartThatWasCutShortIsRepaired) {
  for (const std::size_t append : {0U, 1U}) {  // FORMAT, the first magic
    for (std::size_t kept = 0; kept < 15; ++kept) {
      MemoryFileSystem files;
      OpenReport report;
      files.fail_append(append, kept);
      ASSERT_FALSE(open(files, report).has_value());
      files.crash_keeping(kept);
      auto store = open(files, report);
      ASSERT_TRUE(store.has_value()) << "append " << append << ", " << kept << " bytes";
      ASSERT_TRUE((*store)->append(batch_of(1, 2)).has_value());
      EXPECT_EQ(contents(**store), batch_of(1, 2));
    }
  }
  MemoryFileSystem zeros;  // the size was written, the bytes were not
  zeros.content("d/FORMAT") = Bytes(15);
  zeros.content(kSegment) = Bytes(8);
  OpenReport report;
  EXPECT_TRUE(open(zeros, report).has_value());
}

TEST(SegmentStore, AFailedSyncIsNotAcknowledged) {
  MemoryFileSystem files;
  OpenReport report;
  auto store = open(files, report);
  files.fail_next_sync();
  EXPECT_TRUE((*store)->append(batch_of(1, 1)).error().is(FileError::sync));
  EXPECT_TRUE((*store)->append(batch_of(1, 1)).error().is(StoreError::failed_before));
}

TEST(SegmentStore, ASecondOpenAndAnUnknownFormatAreRefused) {
  MemoryFileSystem files;
  OpenReport report;
  {
    const auto store = open(files, report);
    ASSERT_TRUE(store.has_value());
    EXPECT_TRUE(open(files, report).error().is(FileError::locked));
    EXPECT_EQ(report.file, "d/LOCK");
  }
  EXPECT_TRUE(open(files, report).has_value());
  files.content("d/FORMAT") = to_bytes(text_bytes("ethnet-chain 2\n"));
  EXPECT_TRUE(open(files, report).error().is(StoreError::unknown_format));
}

RC_GTEST_PROP(SegmentStore, RandomCrashesLoseNothingAcknowledged, (std::uint64_t seed)) {
  Prng prng{seed};
  MemoryFileSystem files;
  std::vector<Bytes> acknowledged;
  for (int round = 0; round < 6; ++round) {
    OpenReport report;
    auto store = open(files, report, 300);
    RC_ASSERT(store.has_value());
    RC_ASSERT(contents(**store) == acknowledged);
    for (std::uint64_t i = prng.below(5); i > 0; --i) {
      const auto batch = batch_of(static_cast<std::uint8_t>(prng.below(256)), 1 + prng.below(3));
      RC_ASSERT((*store)->append(batch).has_value());
      acknowledged.insert(acknowledged.end(), batch.begin(), batch.end());
    }
    files.fail_append(0, prng.below(40));
    RC_ASSERT(!(*store)->append(batch_of(9, 2)).has_value());
    store->reset();
    files.crash(prng);
  }
}

std::size_t segments_of(FileSystem& files, const std::string& directory) {
  return files.list(directory + "/chain").value().size();
}

// While `files` opens nothing, batches go into the segment that was due; then the next is made, and
// all is there.
void expect_growth_without_descriptors(FileSystem& files, const std::string& directory,
                                       const std::function<void(bool)>& exhaust) {
  std::vector<Bytes> appended;
  const auto append = [&](SegmentStore& store, std::uint8_t tag) {
    const auto batch = batch_of(tag, 2);
    ASSERT_TRUE(store.append(batch).has_value());
    appended.insert(appended.end(), batch.begin(), batch.end());
  };
  OpenReport report;
  {
    auto store = SegmentStore::open(files, directory, report, 100);
    append(**store, 1);
    append(**store, 2);
    EXPECT_EQ((*store)->segments_postponed(), 0U);
    exhaust(true);
    for (std::uint8_t i = 3; i < 6; ++i) append(**store, i);
    exhaust(false);
    EXPECT_EQ((*store)->segments_postponed(), 3U);
    EXPECT_EQ(segments_of(files, directory), 1U);
    append(**store, 6);
    EXPECT_EQ(segments_of(files, directory), 2U);
    EXPECT_EQ((*store)->segments_postponed(), 3U);
  }
  auto again = SegmentStore::open(files, directory, report, 100);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(report.bytes_cut, 0U);
  EXPECT_EQ(contents(**again), appended);
}

TEST(SegmentStore, atk_10_WithoutADescriptorTheSegmentGrowsOnAndTheNextIsMadeLater) {
  MemoryFileSystem files;
  expect_growth_without_descriptors(files, "d", [&](bool on) { files.exhaust_descriptors(on); });
}

TEST(SegmentStore, atk_10_ASegmentThatGrewToItsBoundEndsTheStoreAndLosesNothing) {
  MemoryFileSystem files;
  std::vector<Bytes> acknowledged;
  OpenReport report;
  {
    auto store = open(files, report, 100);
    files.exhaust_descriptors(true);
    Result<void> last;
    for (std::uint8_t i = 0; i < 50 && last; ++i) {
      const auto batch = batch_of(i, 1);
      last = (*store)->append(batch);
      if (last) acknowledged.push_back(batch.front());
    }
    ASSERT_FALSE(last);
    EXPECT_TRUE(last.error().is(FileError::no_descriptors));
    EXPECT_LE(files.content(kSegment).size(), kMaxSegmentStretch * 100);
    EXPECT_TRUE((*store)->append(batch_of(1, 1)).error().is(StoreError::failed_before));
  }
  EXPECT_TRUE(open(files, report, 100).error().is(FileError::no_descriptors));
  files.exhaust_descriptors(false);
  auto again = open(files, report, 100);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(report.bytes_cut, 0U);
  EXPECT_EQ(contents(**again), acknowledged);
}

std::string temporary_directory() {
  std::string name = std::filesystem::temp_directory_path() / "ethnet-store-test-XXXXXX";
  EXPECT_NE(::mkdtemp(name.data()), nullptr);
  return name;
}

// Leaves this process `spare` descriptors, or gives it back what it had.
class DescriptorLimit {
 public:
  DescriptorLimit() { EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  ~DescriptorLimit() { lift(); }

  void leave(rlim_t spare) {
    const int lowest_free = ::dup(STDERR_FILENO);
    ASSERT_GE(lowest_free, 0);
    ::close(lowest_free);
    const rlimit now{static_cast<rlim_t>(lowest_free) + spare, before_.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &now), 0);
  }
  void lift() const { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(PosixFileSystem, atk_10_WithoutDescriptorsNothingIsMadeAndTheStoreGoesOn) {
  const std::string name = temporary_directory();
  PosixFileSystem files;
  // With one left the directory opens and the file does not; with two the next segment is made.
  for (const rlim_t spare : {0U, 1U}) {
    DescriptorLimit limit;
    expect_growth_without_descriptors(files, name + "/" + std::to_string(spare),
                                      [&](bool on) { on ? limit.leave(spare) : limit.lift(); });
    limit.leave(spare);
    EXPECT_TRUE(files.open(name + "/new").error().is(FileError::no_descriptors));
    EXPECT_FALSE(files.exists(name + "/new"));
  }
  DescriptorLimit limit;
  limit.leave(0);
  EXPECT_TRUE(files.read(name).error().is(FileError::no_descriptors));
  EXPECT_TRUE(files.lock(name + "/lock").error().is(FileError::no_descriptors));
  limit.lift();
  std::filesystem::remove_all(name);
}

TEST(PosixFileSystem, RoundTripInADirectory) {
  const std::string name = temporary_directory();
  PosixFileSystem files;
  OpenReport report;
  {
    auto store = SegmentStore::open(files, name, report);
    ASSERT_TRUE(store.has_value()) << store.error().message();
    ASSERT_TRUE((*store)->append(batch_of(1, 3)).has_value());
    EXPECT_TRUE(SegmentStore::open(files, name, report).error().is(FileError::locked));
  }
  auto store = SegmentStore::open(files, name, report);
  ASSERT_TRUE(store.has_value());
  EXPECT_EQ(contents(**store), batch_of(1, 3));
  std::filesystem::remove_all(name);
}

// A full disk, a device that cannot be cut or synced, names that are taken by something else.
TEST(PosixFileSystem, WhatTheSystemRefusesHasItsOwnError) {
  const std::string name = temporary_directory();
  PosixFileSystem files;
  std::filesystem::create_symlink("/dev/full", name + "/full");
  auto full = files.open(name + "/full");
  ASSERT_TRUE(full.has_value());
  EXPECT_TRUE((*full)->append(Bytes(1)).error().is(FileError::write));
  EXPECT_TRUE((*full)->sync().error().is(FileError::sync));
  EXPECT_TRUE((*full)->truncate(0).error().is(FileError::truncate));
  ASSERT_TRUE(files.open(name + "/file").has_value());
  EXPECT_TRUE(files.make_directory(name + "/file/under").error().is(FileError::make_directory));
  EXPECT_TRUE(files.open(name).error().is(FileError::open));
  EXPECT_TRUE(files.open(name + "/none/file").error().is(FileError::open));
  EXPECT_TRUE(files.lock(name + "/none/lock").error().is(FileError::open));
  EXPECT_TRUE(files.read(name + "/none").error().is(FileError::open));
  EXPECT_TRUE(files.read(name).error().is(FileError::read));
  EXPECT_TRUE(files.list(name + "/none").error().is(FileError::read));
  std::filesystem::remove_all(name);
}

// At the limit of a file's size the kernel writes a part: the rest is tried again, and is an error.
TEST(PosixFileSystem, APartThatFitsIsWrittenAndTheRestIsAnError) {
  const std::string name = temporary_directory();
  PosixFileSystem files;
  auto file = files.open(name + "/file");
  ASSERT_TRUE(file.has_value());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto was = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{100, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto appended = (*file)->append(Bytes(150));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, was);
  ASSERT_FALSE(appended.has_value());
  EXPECT_TRUE(appended.error().is(FileError::write));
  EXPECT_EQ(files.read(name + "/file").value().size(), 100U);
  std::filesystem::remove_all(name);
}

}  // namespace
}  // namespace ethnet::store
