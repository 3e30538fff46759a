#include "targets.hpp"

#include <array>

namespace ethnet::fuzz {

// tests/CMakeLists.txt makes a program of each.
std::span<const Target> targets() {
  static constexpr auto kTargets = std::to_array<Target>({
      {"chain_operations", run_chain_operations},
#ifdef ETHNET_FUZZ_CONFIG
      {"config", run_config},
#endif
      {"control_frames", run_control_frames},
      {"das_lite", run_das_lite},
      {"das_operations", run_das_operations},
      {"discv4_operations", run_discv4_operations},
      {"discv4_packet", run_discv4_packet},
      {"discv5_engine_operations", run_discv5_engine_operations},
      {"discv5_message", run_discv5_message},
      {"discv5_packet", run_discv5_packet},
      {"discv5_sessions", run_discv5_sessions},
      {"discv_lite", run_discv_lite},
      {"discv_operations", run_discv_operations},
      {"dns_client_operations", run_dns_client_operations},
      {"dns_entry", run_dns_entry},
      {"enode_url", run_enode_url},
      {"enr", run_enr},
      {"envelope", run_envelope},
      {"genesis", run_genesis},
      {"header", run_header},
      {"hello", run_hello},
      {"host_operations", run_host_operations},
      {"id_proof", run_id_proof},
#ifdef ETHNET_FUZZ_CONFIG
      {"json_rpc", run_json_rpc},
      {"lab_scenario", run_lab_scenario},
#endif
      {"mini_sync", run_mini_sync},
      {"nodes_file", run_nodes_file},
      {"pmp_answer", run_pmp_answer},
      {"quic_datagrams", run_quic_datagrams},
      {"quic_frames", run_quic_frames},
      {"rlp", run_rlp},
      {"session_machine", run_session_machine},
#ifdef ETHNET_FUZZ_CONFIG
      {"sim_scenario", run_sim_scenario},
#endif
      {"snappy", run_snappy},
      {"store_segment", run_store_segment},
      {"stun_answer", run_stun_answer},
      {"sync_operations", run_sync_operations},
  });
  return kTargets;
}

}  // namespace ethnet::fuzz
