// What is fuzzed: one entry point a decoder or machine, which takes any bytes and must neither
// crash nor break what it promises (a decoder: what decodes encodes to the same bytes).
//
// Every target runs in three ways: under libFuzzer (`./dev fuzz NAME`, preset fuzz), briefly in
// `./dev check fuzz`, and over its corpus in `./dev test` (fuzz_corpus_test).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <base/bytes.hpp>

namespace ethnet::fuzz {

// Codecs and values.
void run_rlp(ByteView input);
void run_snappy(ByteView input);
void run_enr(ByteView input);
void run_enode_url(ByteView input);
void run_header(ByteView input);
void run_genesis(ByteView input);
// Sessions and protocols.
void run_control_frames(ByteView input);
void run_hello(ByteView input);
void run_id_proof(ByteView input);
void run_envelope(ByteView input);
void run_mini_sync(ByteView input);
void run_das_lite(ByteView input);
void run_discv_lite(ByteView input);
void run_discv4_packet(ByteView input);
void run_discv5_packet(ByteView input);
void run_discv5_message(ByteView input);
void run_dns_entry(ByteView input);
void run_stun_answer(ByteView input);
void run_pmp_answer(ByteView input);
// Files.
void run_store_segment(ByteView input);
void run_nodes_file(ByteView input);
void run_config(ByteView input);        // where the programs are built
void run_lab_scenario(ByteView input);  // likewise
void run_sim_scenario(ByteView input);  // likewise
// What observers send.
void run_json_rpc(ByteView input);  // likewise
// Machines, by operations.
void run_chain_operations(ByteView input);
void run_sync_operations(ByteView input);
void run_das_operations(ByteView input);
void run_discv_operations(ByteView input);
void run_discv4_operations(ByteView input);
void run_discv5_sessions(ByteView input);
void run_dns_client_operations(ByteView input);
void run_discv5_engine_operations(ByteView input);
void run_host_operations(ByteView input);
void run_quic_datagrams(ByteView input);
void run_quic_frames(ByteView input);
void run_session_machine(ByteView input);

struct Target {
  std::string_view name;
  void (*run)(ByteView input);
};
[[nodiscard]] std::span<const Target> targets();

// A small input to begin with: from our own encoders, or the fact that it states.
struct Seed {
  std::string_view target;
  std::string name;
  Bytes bytes;
};
[[nodiscard]] std::vector<Seed> seeds();
// Parts of them.
void add_machine_seeds(std::vector<Seed>& out);
void add_discovery_seeds(std::vector<Seed>& out);
void add_discv4_seeds(std::vector<Seed>& out);
void add_discv5_seeds(std::vector<Seed>& out);
void add_dns_seeds(std::vector<Seed>& out);
void add_nat_seeds(std::vector<Seed>& out);
void add_discv5_engine_seeds(std::vector<Seed>& out);
void add_host_seeds(std::vector<Seed>& out);
void add_sim_seeds(std::vector<Seed>& out);

}  // namespace ethnet::fuzz
