// Test support (no tests of its own): the Wycheproof vectors of ../shared/vectors (see the README
// there for their origin) and a strict reader of the little DER that two of the families wrap their
// inputs in.
#pragma once

#include <iostream>
#include <map>
#include <optional>
#include <string>

#include <base/bytes.hpp>
#include <base/hex.hpp>
#include <codec/testing/vectors.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace ethnet::crypto::wycheproof {

inline Bytes hex_of(const nlohmann::json& object, const char* name) {
  return from_hex(object.at(name).get<std::string>()).value();
}

// One file of vectors. How each went is counted by family; the file's own total is checked. A file
// that is not there fails the test: ETHNET_NEED_VECTORS() first.
class Suite {
 public:
  explicit Suite(const std::string& file)
      : file_{file}, json_(testing::read_json("wycheproof/" + file)) {}

  // Calls judge(group, test) for every test; it returns the family to count it under.
  template <class Judge>
  void run(Judge judge) {
    std::size_t total = 0;
    for (const auto& group : json_.at("testGroups")) {
      for (const auto& test : group.at("tests")) {
        SCOPED_TRACE(file_ + " tcId " + std::to_string(test.at("tcId").get<int>()) + ": " +
                     test.at("comment").get<std::string>());
        ++counts_[judge(group, test)];
        ++total;
      }
    }
    EXPECT_EQ(total, json_.at("numberOfTests").get<std::size_t>());
    testing::report_vectors("wycheproof_" + file_.substr(0, file_.find("_test.json")), total);
    for (const auto& [family, count] : counts_)
      std::cout << "  " << family << ": " << count << "\n";
  }
  [[nodiscard]] std::size_t count(const std::string& family) const {
    const auto it = counts_.find(family);
    return it == counts_.end() ? 0 : it->second;
  }

 private:
  std::string file_;
  nlohmann::json json_;
  std::map<std::string, std::size_t> counts_;
};

// --- DER ---

// Takes one value with this tag and a minimal definite length off the front of `in`.
inline std::optional<ByteView> take_der(ByteView& in, std::uint8_t tag) {
  if (in.size() < 2 || in[0] != std::byte{tag}) return std::nullopt;
  std::size_t length = std::to_integer<std::size_t>(in[1]);
  in = in.subspan(2);
  if (length > 0x80) {  // the long form: only one further byte is needed here
    if (length != 0x81 || in.empty()) return std::nullopt;
    length = std::to_integer<std::size_t>(in[0]);
    if (length < 0x80) return std::nullopt;
    in = in.subspan(1);
  } else if (length == 0x80) {
    return std::nullopt;
  }
  if (in.size() < length) return std::nullopt;
  const ByteView value = in.first(length);
  in = in.subspan(length);
  return value;
}

// A positive INTEGER of up to 32 bytes, minimally encoded, right-aligned into `out`.
inline bool take_der_scalar(ByteView& in, MutByteView out) {
  const auto value = take_der(in, 0x02);
  if (!value || value->empty()) return false;
  ByteView digits = *value;
  if ((digits[0] & std::byte{0x80}) != std::byte{0}) return false;  // negative
  if (digits[0] == std::byte{0} && digits.size() > 1) {
    if ((digits[1] & std::byte{0x80}) == std::byte{0}) return false;  // not minimal
    digits = digits.subspan(1);
  }
  if (digits.size() > out.size()) return false;
  copy_into(out.last(digits.size()), digits);
  return true;
}

// SEQUENCE { INTEGER r, INTEGER s }, nothing after.
inline std::optional<ByteArray<64>> parse_der_signature(ByteView in) {
  auto body = take_der(in, 0x30);
  if (!body || !in.empty()) return std::nullopt;
  ByteArray<64> out{};
  const MutByteView target{out};
  if (!take_der_scalar(*body, target.first(32))) return std::nullopt;
  if (!take_der_scalar(*body, target.last(32))) return std::nullopt;
  if (!body->empty()) return std::nullopt;
  return out;
}

// SubjectPublicKeyInfo of an EC key on the named curve secp256k1: the encoded point.
inline std::optional<ByteView> parse_spki(ByteView in) {
  static const Bytes kAlgorithm = from_hex("06072a8648ce3d020106052b8104000a").value();
  auto body = take_der(in, 0x30);
  if (!body || !in.empty()) return std::nullopt;
  const auto algorithm = take_der(*body, 0x30);
  if (!algorithm || !equal(*algorithm, kAlgorithm)) return std::nullopt;
  const auto bits = take_der(*body, 0x03);
  if (!bits || !body->empty()) return std::nullopt;
  if (bits->empty() || bits->front() != std::byte{0}) return std::nullopt;  // unused bits
  return bits->subspan(1);
}

}  // namespace ethnet::crypto::wycheproof
