// Files that are there whole or as they were, and what is said where they cannot be written.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

#include <apps/common/output_file.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ethnet::app {
namespace {

namespace fs = std::filesystem;

class OutputFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "ethnet-output-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }
  [[nodiscard]] std::string path(const char* name) const { return (folder_ / name).string(); }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator{folder_}, {}));
  }
  static std::string read(const std::string& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

  fs::path folder_;
};

template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST_F(OutputFileTest, AFileIsMadeOrReplacedAndACheckLeavesItAsItIs) {
  const OutputFile out{"--json", path("a.json")};
  out.check();
  EXPECT_EQ(files(), 0U);
  out.write("first");
  out.write("second");
  out.check();
  EXPECT_EQ(read(path("a.json")), "second");
  EXPECT_EQ(files(), 1U);
  OutputFile{"--json", ""}.check();
  OutputFile{"--json", ""}.write("nothing is wanted");
}

TEST_F(OutputFileTest, AFlagWithAnEmptyPathIsRefused) {
  EXPECT_EQ(refuse_no_file(""), "no file is named: the path is empty");
  EXPECT_EQ(refuse_no_file("-"), "");
  EXPECT_EQ(refuse_no_file("a.json"), "");
}

TEST_F(OutputFileTest, ALinkStaysOne) {
  fs::create_symlink(path("a.json"), path("link"));
  std::ofstream{path("a.json")} << "before";
  OutputFile{"--json", path("link")}.write("text");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(read(path("a.json")), "text");
}

TEST_F(OutputFileTest, ALinkThatLeadsToNothingYetIsFollowed) {
  fs::create_directory(folder_ / "sub");
  fs::create_symlink("sub/second", path("link"));
  fs::create_symlink("a.json", folder_ / "sub" / "second");
  const OutputFile out{"--json", path("link")};
  out.check();
  EXPECT_FALSE(fs::exists(path("sub/a.json"))) << "a check makes nothing";
  out.write("text");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_TRUE(fs::is_symlink(folder_ / "sub" / "second"));
  EXPECT_EQ(read(path("sub/a.json")), "text");
}

TEST_F(OutputFileTest, ALinkThatLeadsNowhereIsRefusedAndStaysOne) {
  fs::create_symlink("none/a.json", path("link"));
  fs::create_symlink("circle", path("circle"));
  for (const auto& [name, why] : {std::pair{"link", "No such file or directory"},
                                  std::pair{"circle", "Too many levels of symbolic links"}}) {
    const OutputFile out{"--json", path(name)};
    const std::string said = "--json: cannot write " + path(name) + ": " + why;
    EXPECT_EQ(error_of([&] { out.check(); }), said);
    EXPECT_EQ(error_of([&] { out.write("x"); }), said);
    EXPECT_TRUE(fs::is_symlink(path(name)));
  }
  EXPECT_EQ(files(), 2U);
}

// As fs.protected_symlinks, which cannot see who reads a link by itself.
TEST_F(OutputFileTest, InAStickyFolderThatOthersMayWriteAStrangersLinkIsNotFollowed) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make what is another's";
  constexpr uid_t kStranger = 12'345;
  fs::create_directory(path("tmp"));
  ASSERT_EQ(::chmod(path("tmp").c_str(), 01777), 0);
  std::ofstream{path("there")} << "before";
  for (const char* const target : {"../new", "../there", "/dev/null"}) {
    fs::create_symlink(target, path("tmp/link"));
    fs::create_symlink("tmp/link", path("ours"));
    ASSERT_EQ(::lchown(path("tmp/link").c_str(), kStranger, kStranger), 0);
    for (const char* const name : {"tmp/link", "ours"}) {
      const OutputFile out{"--csv", path(name)};
      const std::string said = "--csv: cannot write " + path(name) + ": Permission denied";
      EXPECT_EQ(error_of([&] { out.check(); }), said) << target;
      EXPECT_EQ(error_of([&] { out.write("text"); }), said) << target;
    }
    EXPECT_FALSE(fs::exists(path("new")));
    EXPECT_EQ(read(path("there")), "before");
    fs::remove(path("tmp/link"));
    fs::remove(path("ours"));
  }
  fs::create_symlink("../new", path("tmp/link"));
  OutputFile{"--csv", path("tmp/link")}.write("our own");
  EXPECT_EQ(read(path("new")), "our own");
  ASSERT_EQ(::chown(path("tmp").c_str(), kStranger, kStranger), 0);
  ASSERT_EQ(::lchown(path("tmp/link").c_str(), kStranger, kStranger), 0);
  OutputFile{"--csv", path("tmp/link")}.write("its folder's owner's");
  EXPECT_EQ(read(path("new")), "its folder's owner's");
}

TEST_F(OutputFileTest, InAStickyFolderThatOthersMayWriteAStrangersFileIsNotTakenOver) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make what is another's";
  constexpr uid_t kStranger = 12'345;
  fs::create_directory(path("tmp"));
  const OutputFile out{"--csv", path("tmp/a.csv")};
  std::ofstream{path("tmp/a.csv")} << "before";
  ASSERT_EQ(::chown(path("tmp/a.csv").c_str(), kStranger, kStranger), 0);
  for (const mode_t mode : {mode_t{01777}, mode_t{01775}}) {
    ASSERT_EQ(::chmod(path("tmp").c_str(), mode), 0);
    const std::string said = "--csv: cannot write " + path("tmp/a.csv") + ": Permission denied";
    EXPECT_EQ(error_of([&] { out.check(); }), said);
    EXPECT_EQ(error_of([&] { out.write("text"); }), said);
    EXPECT_EQ(read(path("tmp/a.csv")), "before");
  }
  for (const mode_t mode : {mode_t{01755}, mode_t{0777}}) {
    ASSERT_EQ(::chmod(path("tmp").c_str(), mode), 0);
    out.write("text");
    EXPECT_EQ(read(path("tmp/a.csv")), "text");
  }
  ASSERT_EQ(::chmod(path("tmp").c_str(), 01777), 0);
  ASSERT_EQ(::chown(path("tmp/a.csv").c_str(), 0, 0), 0);
  out.write("our own");
  EXPECT_EQ(read(path("tmp/a.csv")), "our own");
}

TEST_F(OutputFileTest, AFileThatIsReplacedKeepsItsModeAndItsOwner) {
  for (const mode_t mode : {mode_t{0600}, mode_t{0664}}) {
    std::ofstream{path("a.json")} << "before";
    ASSERT_EQ(::chmod(path("a.json").c_str(), mode), 0);
    const bool is_root = ::geteuid() == 0;
    if (is_root) {
      ASSERT_EQ(::chown(path("a.json").c_str(), 12'345, 23'456), 0);
    }
    OutputFile{"--json", path("a.json")}.write("text");
    EXPECT_EQ(read(path("a.json")), "text");
    struct stat after{};
    ASSERT_EQ(::stat(path("a.json").c_str(), &after), 0);
    EXPECT_EQ(after.st_mode & 07777U, mode);
    EXPECT_EQ(after.st_uid, is_root ? 12'345U : ::geteuid());
    EXPECT_EQ(after.st_gid, is_root ? 23'456U : ::getegid());
    ASSERT_TRUE(fs::remove(path("a.json")));
  }
}

TEST_F(OutputFileTest, ANewFileHasTheModeThatTheUmaskLeaves) {
  const mode_t before = ::umask(0027);
  OutputFile{"--json", path("a.json")}.write("text");
  ::umask(before);
  struct stat after{};
  ASSERT_EQ(::stat(path("a.json").c_str(), &after), 0);
  EXPECT_EQ(after.st_mode & 07777U, 0640U);
}

TEST_F(OutputFileTest, AnErrorNamesTheFlagThePathAndTheReason) {
  const std::string nowhere = path("none/a.json");
  EXPECT_EQ(error_of([&] { OutputFile("--csv", nowhere).check(); }),
            "--csv: cannot write " + nowhere + ": No such file or directory");
  EXPECT_EQ(error_of([&] { OutputFile("--json", folder_.string()).check(); }),
            "--json: cannot write " + folder_.string() + ": Is a directory");
  EXPECT_EQ(error_of([&] { OutputFile("--json", folder_.string()).write("x"); }),
            "--json: cannot write " + folder_.string() + ": Is a directory");
}

// What /proc says of such a file is no path: "x (deleted)".
TEST_F(OutputFileTest, AFileWithoutANameIsWrittenThroughItsDescriptor) {
  const int fd = ::open(path("gone").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(::write(fd, "before ", 7), 7);
  fs::remove(path("gone"));
  for (const char* const folder : {"/dev/fd/", "/proc/self/fd/"}) {
    const OutputFile out{"--json", folder + std::to_string(fd)};
    out.check();
    out.write("text ");
  }
  std::string is(64, '\0');
  const auto n = ::pread(fd, is.data(), is.size(), 0);
  ::close(fd);
  ASSERT_GE(n, 0);
  EXPECT_EQ(is.substr(0, static_cast<std::size_t>(n)), "before text text ");
  EXPECT_EQ(files(), 0U);
}

TEST_F(OutputFileTest, ADeviceIsWrittenAndNotReplaced) {
  const OutputFile full{"--csv", "/dev/full"};
  EXPECT_EQ(error_of([&] { full.check(); }), "");
  EXPECT_EQ(error_of([&] { full.write("x"); }),
            "--csv: cannot write /dev/full: No space left on device");
  OutputFile{"--csv", "/dev/null"}.write("x");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(OutputFileTest, WhereTheRoomEndsTheFileIsAsItWasAndNoPartIsLeft) {
  const OutputFile out{"--json", path("a.json")};
  out.write("before");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit little = before;
  little.rlim_cur = 1'000;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const std::string error = error_of([&] { out.write(std::string(5'000, 'x')); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error, "--json: cannot write " + path("a.json") + ": File too large");
  EXPECT_EQ(read(path("a.json")), "before");
  EXPECT_EQ(files(), 1U);
}

}  // namespace
}  // namespace ethnet::app
