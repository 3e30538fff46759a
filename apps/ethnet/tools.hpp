// The sub-commands of ethnet that end by themselves. Each returns the exit code and throws
// std::runtime_error with one clear line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ethnet::app {

int key_new(const std::string& file);
int key_show(const std::string& file);
int enr_decode(const std::string& text);
// What a record says beside its key; empty or 0: nothing.
struct EnrOptions {
  std::string ip;   // of either family
  std::string ip6;  // beside an IPv4 address in `ip`
  std::uint16_t quic = 0;
  std::uint16_t udp = 0;
  std::uint16_t tcp = 0;
  std::uint16_t quic6 = 0;
  std::uint16_t udp6 = 0;
  std::uint16_t tcp6 = 0;
  std::string fork_id;  // "0xHASH/NEXT", as enr_decode() shows it; or that of
  std::string network;  // ... a node of this network with the head below
  std::uint64_t head = 0;
  std::uint64_t time = 0;
  bool snap = false;
  std::uint64_t seq = 1;
};
int enr_make(const std::string& key_file, const EnrOptions& options);
int chain_inspect(const std::string& file, const std::string& genesis);
// Becomes the ethnet-sim beside this program.
int run_sim(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace ethnet::app
