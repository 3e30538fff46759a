// What the programs share: peer names, the progress line, key files.
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <apps/common/boot_node.hpp>
#include <apps/common/key_file.hpp>
#include <apps/common/peer_name.hpp>
#include <apps/common/progress_line.hpp>
#include <apps/common/testing/refusal.hpp>
#include <base/check.hpp>
#include <codec/base64url.hpp>
#include <codec/rlp_writer.hpp>
#include <crypto/keccak.hpp>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <types/enr.hpp>
#include <unistd.h>

namespace ethnet::app {
namespace {

std::string peer_refusal(const std::string& text) {
  return refusal([&] { (void)parse_peer(text); });
}

TEST(PeerName, IsAnAddressANameOrARecord) {
  EXPECT_EQ(parse_peer("127.0.0.1:9001").endpoint->to_string(), "127.0.0.1:9001");
  EXPECT_EQ(parse_peer("[::1]:9001").endpoint->to_string(), "[::1]:9001");
  const node::StaticPeer name = parse_peer("localhost:9001");
  EXPECT_FALSE(name.endpoint);
  EXPECT_EQ(name.host, "localhost");
  EXPECT_EQ(name.port, 9001);
  EXPECT_FALSE(name.expected);
}

TEST(PeerName, WhatIsNoneSaysWhy) {
  EXPECT_EQ(peer_refusal("nowhere"), "peer 'nowhere': expected enr:…, enode://… or HOST:PORT");
  EXPECT_EQ(peer_refusal(":9001"), "peer ':9001': expected enr:…, enode://… or HOST:PORT");
  for (const std::string text : {"host:0", "host:65536", "host:x", "host:", "[::1]:0"}) {
    EXPECT_EQ(peer_refusal(text), "peer '" + text + "': the port is not a number from 1 to 65535");
  }
  for (const std::string text : {"fe80::1:9001", "::1", "[::1]"}) {
    EXPECT_EQ(peer_refusal(text),
              "peer '" + text + "': expected an IPv6 address as [ADDRESS]:PORT");
  }
  EXPECT_EQ(peer_refusal("[::zz]:9001"), "peer '[::zz]:9001': not an IPv6 address");
}

TEST(PeerName, ARecordOfEitherFamilyNamesAPeer) {
  const auto key = crypto::SecretKey::from_bytes(Bytes(32, std::byte{5})).value();
  const auto text_of = [&](const EnrBuilder& builder) {
    return builder.sign(key)->record().text();
  };
  const IpAddress six = IpAddress::parse("::1").value();
  for (const EnrBuilder& builder :
       {EnrBuilder{1}.ip(six).quic(9'001), EnrBuilder{1}.ip(six).quic6(9'001)}) {
    EXPECT_EQ(parse_peer(text_of(builder)).endpoint->to_string(), "[::1]:9001");
    EXPECT_TRUE(names_sessions(text_of(builder)));
  }
  EXPECT_EQ(parse_peer(text_of(EnrBuilder{1}.ip(IpAddress::loopback_v4()).quic(9'001)))
                .endpoint->to_string(),
            "127.0.0.1:9001");
  EXPECT_FALSE(names_sessions(text_of(EnrBuilder{1}.quic(9'001)))) << "nowhere";
}

// A signed record of exactly so many bytes, at an address with every port that somebody asks for.
std::string record_of_size(std::size_t size) {
  const auto key = crypto::SecretKey::from_bytes(Bytes(32, std::byte{9})).value();
  const auto port = [](rlp::Writer& out, const char* name) {
    out.write_text(name);
    out.write_uint(9'001);
  };
  for (std::size_t filler = 0;; ++filler) {
    const auto write_pairs = [&](rlp::Writer& out) {
      out.write_uint(1);
      out.write_text("id");
      out.write_text("v4");
      out.write_text("ip");
      out.write_bytes(Bytes{std::byte{127}, std::byte{0}, std::byte{0}, std::byte{1}});
      port(out, "quic");
      out.write_text("secp256k1");
      out.write_bytes(key.public_key().compressed());
      port(out, "udp");
      out.write_text("x");
      out.write_bytes(Bytes(filler, std::byte{0xff}));
    };
    rlp::Writer content;
    const auto inner = content.begin_list();
    write_pairs(content);
    content.end_list(inner);
    rlp::Writer record;
    const auto outer = record.begin_list();
    record.write_bytes(crypto::sign_compact(key, crypto::keccak256(content.view())));
    write_pairs(record);
    record.end_list(outer);
    if (record.view().size() == size) return "enr:" + base64url::encode(record.view());
    CHECK(record.view().size() < size);
  }
}

// parse_peer() reads what admin_addPeer, the control socket and --bootnodes are given.
TEST(PeerName, atk_24_ARecordOf300BytesIsTakenAndOneOf301IsNot) {
  for (const std::size_t size : {299U, 300U}) {
    const std::string text = record_of_size(size);
    EXPECT_EQ(parse_peer(text).endpoint->to_string(), "127.0.0.1:9001") << size;
    node::UdpDiscoveryConfig config;
    EXPECT_TRUE(add_boot_node(config, text)) << size;
    EXPECT_EQ(config.boot_records.size(), 1U);
    EXPECT_EQ(parse_v4_node(kNode, text).at.udp, 9'001) << size;
    EXPECT_NE(parse_reachable_record(kNode, text), nullptr) << size;
  }
  const std::string text = record_of_size(301);
  const std::string why = Error{EnrError::too_large}.message();
  const auto refused = [&](const std::string& told) {
    EXPECT_NE(told.find(why.substr(0, why.find(" at "))), std::string::npos) << told;
  };
  refused(peer_refusal(text));
  refused(refusal([&] { (void)parse_v4_node(kNode, text); }));
  refused(refusal([&] { (void)parse_reachable_record(kNode, text); }));
  node::UdpDiscoveryConfig config;
  EXPECT_FALSE(add_boot_node(config, text));
  EXPECT_TRUE(config.boot_records.empty());
}

TEST(PeerName, ALinkLocalAddressNamesItsLink) {
  const node::StaticPeer peer = parse_peer("[fe80::1%lo]:9001");
  EXPECT_FALSE(peer.endpoint) << "the link would be lost";
  EXPECT_EQ(peer.host, "fe80::1%lo");
  EXPECT_EQ(peer.port, 9001);
  const auto refused = [](const std::string& text, const std::string& why) {
    EXPECT_EQ(peer_refusal(text), "peer '" + text + "': " + why);
  };
  refused("[fe80::1%none]:9001", "there is no network interface 'none'");
  refused("[fe80::1%]:9001", "there is no network interface ''");
  refused("[2001:db8::1%lo]:9001", "only a link-local address has a scope (%)");
  refused("[fe80::zz%lo]:9001", "not an IPv6 address");
  refused("fe80::1%lo:9001", "expected an IPv6 address as [ADDRESS]:PORT");
}

TEST(Progress, FitsTheWidthWhateverItIs) {
  EXPECT_EQ(progress_text("sync", 300, 600, "headers", 80),
            "sync [####################....................]  50% 300/600 headers");
  for (std::size_t width = 1; width <= 120; ++width) {
    EXPECT_LE(progress_text("sync", 123'456'789, 987'654'321, "headers", width).size(), width);
    EXPECT_LE(progress_text("import", 0, 0, "headers", width).size(), width);
  }
  EXPECT_NE(progress_text("sync", 0, 600, "headers", 79).find("[....."), std::string::npos);
  EXPECT_NE(progress_text("sync", 700, 600, "headers", 79).find("#]"), std::string::npos);
  EXPECT_EQ(progress_text("sync", 700, 600, "headers", 79).find('.'), std::string::npos);
}

TEST(Progress, WithoutATerminalItIsALineForEachQuarter) {
  std::string out;
  runtime::Console console{[&](const std::string& b) { out += b; }, [] { return 0U; }};
  ProgressLine progress{console, true, "headers"};
  for (std::uint64_t i = 1; i <= 1000; ++i) progress.show("sync", i, 1000, i == 1000);
  EXPECT_EQ(std::ranges::count(out, '\n'), 5);  // 0, 25, 50, 75, done
  EXPECT_TRUE(out.ends_with("100% 1000/1000 headers done\n")) << out;
  EXPECT_EQ(out.find('\r'), std::string::npos);
  EXPECT_EQ(out.find('\x1b'), std::string::npos);
}

TEST(Progress, OnATerminalItLeavesOneLineBehind) {
  std::string out;
  runtime::Console console{[&](const std::string& b) { out += b; }, [] { return 60U; }};
  ProgressLine progress{console, true, "headers"};
  for (std::uint64_t i = 1; i <= 1000; ++i) progress.show("sync", i, 1000, i == 1000);
  EXPECT_EQ(std::ranges::count(out, '\n'), 1);
  EXPECT_TRUE(out.ends_with("1000/1000 headers done\n"));
}

TEST(Progress, SwitchedOffItSaysNothing) {
  std::string out;
  runtime::Console console{[&](const std::string& b) { out += b; }, [] { return 60U; }};
  ProgressLine progress{console, false, "headers"};
  progress.show("sync", 1, 2, false);
  progress.show("sync", 2, 2, true);
  EXPECT_EQ(out, "");
}

class KeyFile : public testing::Test {
 protected:
  KeyFile() { std::filesystem::create_directories(folder_); }
  ~KeyFile() override { std::filesystem::remove_all(folder_); }
  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;

  void write(const std::string& text, mode_t mode = 0600) const {
    std::ofstream{path_, std::ios::trunc} << text;
    std::filesystem::permissions(path_, static_cast<std::filesystem::perms>(mode));
  }
  [[nodiscard]] std::string read_refusal() const {
    return refusal([&] { (void)read_key(path_); });
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{folder_},
                                                  std::filesystem::directory_iterator{}));
  }

  std::string folder_ = testing::TempDir() + "ethnet-key-" + std::to_string(::getpid());
  std::string path_ = folder_ + "/nodekey";
};

TEST_F(KeyFile, IsMadeWholePrivateAndAlone) {
  const mode_t before = ::umask(0);
  const auto key = make_key(path_);
  ::umask(before);
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_EQ(status.st_size, 65);
  EXPECT_EQ(files(), 1U) << "something was left beside it";
  EXPECT_EQ(to_bytes(read_key(path_)->reveal()), to_bytes(key->reveal()));
}

TEST_F(KeyFile, IsNeverMadeOverAnother) {
  const auto key = make_key(path_);
  EXPECT_EQ(refusal([&] { (void)make_key(path_); }), "cannot make " + path_ + ": File exists");
  EXPECT_EQ(to_bytes(read_key(path_)->reveal()), to_bytes(key->reveal()));
  EXPECT_EQ(files(), 1U);
}

TEST_F(KeyFile, ANarrowUmaskDoesNotLockItsOwnerOut) {
  const mode_t before = ::umask(0777);
  (void)make_key(path_);
  ::umask(before);
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(KeyFile, OtherContentIsRefused) {
  const std::string wrong = path_ + " is not a node key: expected 64 hex characters";
  const std::string digits(64, '1');
  for (const std::string& text :
       {std::string{}, std::string{"banana\n"}, digits.substr(1), digits + "1", digits + "\n\n",
        "0x" + digits.substr(2), std::string(100'000, '1')}) {
    write(text);
    EXPECT_EQ(read_refusal(), wrong) << text.substr(0, 80);
  }
  write(std::string(64, '0'));
  EXPECT_EQ(read_refusal().find(path_), 0U);
  write(digits + "\n");
  EXPECT_EQ(read_refusal(), "(not refused)");
  write(digits);
  EXPECT_EQ(read_refusal(), "(not refused)");
}

TEST_F(KeyFile, OneThatOthersMayReadIsRefused) {
  for (const mode_t mode : {0640U, 0604U, 0644U, 0660U}) {
    write(std::string(64, '1'), mode);
    EXPECT_NE(read_refusal().find("others could read the node key"), std::string::npos);
  }
  write(std::string(64, '1'), 0400);
  EXPECT_EQ(read_refusal(), "(not refused)");
}

TEST_F(KeyFile, WhatIsNoFileIsRefused) {
  EXPECT_EQ(read_refusal(), "cannot read " + path_ + ": No such file or directory");
  std::filesystem::create_directory(path_);
  EXPECT_EQ(read_refusal(), path_ + " is not a node key: not a regular file");
}

}  // namespace
}  // namespace ethnet::app
