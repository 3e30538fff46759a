// For tests: the vectors of the specification (discv5/ of the vectors' folder).
#pragma once

#include <map>
#include <sstream>
#include <string>

#include <codec/testing/vectors.hpp>
#include <types/hash.hpp>

namespace ethnet::discv5::testing {

// `# key = 0x…` or `# key = number`, then a packet in hex.
struct PacketFile {
  std::map<std::string, std::string> values;
  Bytes packet;

  [[nodiscard]] Bytes bytes(const std::string& key) const {
    return from_hex(values.at(key)).value();
  }
  [[nodiscard]] std::uint64_t number(const std::string& key) const {
    return std::stoull(values.at(key));
  }
  [[nodiscard]] NodeId id(const std::string& key) const {
    return parse_bytes32<NodeIdTag>(values.at(key)).value();
  }
};

inline PacketFile read_packet_file(const std::string& name) {
  PacketFile out;
  std::istringstream lines{ethnet::testing::read_text("discv5/" + name)};
  std::string hex;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#')) {
      hex += line;
      continue;
    }
    const std::size_t equals = line.find(" = ");
    if (equals == std::string::npos) continue;
    out.values[line.substr(2, equals - 2)] = line.substr(equals + 3);
  }
  out.packet = from_hex(hex).value();
  return out;
}

template <std::size_t N>
ByteArray<N> fixed(ByteView bytes) {
  CHECK(bytes.size() == N);
  ByteArray<N> out{};
  copy_into(out, bytes);
  return out;
}

inline NodeId json_id(const nlohmann::json& text) {
  return parse_bytes32<NodeIdTag>(text.get<std::string>()).value();
}

}  // namespace ethnet::discv5::testing
