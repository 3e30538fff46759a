#include <codec/rlp_writer.hpp>
#include <codec/snappy_block.hpp>
#include <das/testing/test_data.hpp>
#include <protocol/das_lite/messages.hpp>
#include <protocol/mini_sync/messages.hpp>
#include <session/control.hpp>
#include <session/id_proof.hpp>
#include <store/memory_file_system.hpp>
#include <store/segment_store.hpp>
#include <tests/support/raw_quic/raw_quic.hpp>
#include <types/enode_url.hpp>
#include <types/enr.hpp>
#include <types/header.hpp>

#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

using testing::Frames;

crypto::SecretKey key() {
  ByteArray<32> secret{};
  secret.back() = std::byte{7};
  return crypto::SecretKey::from_bytes(secret).value();
}

Bytes text(std::string_view value) { return to_bytes(text_bytes(value)); }

Header full_header() {
  Header header;
  header.number = 7;
  header.timestamp = 1'700'000'000;
  header.gas_limit = 30'000'000;
  header.extra_data = text("extra");
  header.base_fee_per_gas = Uint256{7};
  header.withdrawals_root = Hash32{};
  header.blob_gas_used = 131'072;
  header.excess_blob_gas = 0;
  header.parent_beacon_block_root = Hash32{};
  header.requests_hash = Hash32{};
  return header;
}

VerifiedEnr record() {
  return EnrBuilder{3}
      .ip(IpAddress::loopback_v4())
      .udp(30303)
      .quic(9001)
      .fork_id({{std::byte{1}}, 5})
      .sign(key())
      .value();
}

session::Hello hello() {
  session::Hello out;
  out.client = "MiniEthNet/0.1";
  out.capabilities = {{"das-lite", 1U << 16}, {"mini-sync", 1U << 16}};
  out.head_number = 5;
  out.enr = to_bytes(record().record().encoded());
  return out;
}

Bytes body(const Bytes& frame) {
  return to_bytes(ByteView{frame}.subspan(session::kFrameHeaderBytes));
}

void add_values(std::vector<Seed>& out) {
  rlp::Writer nested;
  const auto outer = nested.begin_list();
  nested.write_text("cat");
  nested.write_uint(1024);
  const auto inner = nested.begin_list();
  nested.write_bytes(Bytes(60));
  nested.write_empty_list();
  nested.end_list(inner);
  nested.end_list(outer);
  out.push_back({"rlp", "nested", std::move(nested).take()});
  out.push_back({"rlp", "header", full_header().encode()});
  Bytes repeated;
  for (int i = 0; i < 30; ++i) append(repeated, text_bytes("hello, hello. "));
  out.push_back({"snappy", "repeated", snappy::compress(repeated)});
  out.push_back({"snappy", "empty", snappy::compress({})});
  out.push_back({"enr", "record", to_bytes(record().record().encoded())});
  out.push_back({"enr", "text", text(record().record().text())});
  EnodeUrl url{key().public_key(), IpAddress::loopback_v4(), {}, 30303, 30301};
  out.push_back({"enode_url", "v4", text(url.to_string())});
  url.ip = IpAddress::parse("2001:db8::1").value();
  out.push_back({"enode_url", "v6", text(url.to_string())});
  url.ip.reset();
  url.host_name = "node.example.org";
  out.push_back({"enode_url", "name", text(url.to_string())});
  out.push_back({"header", "frontier", Header{}.encode()});
  out.push_back({"header", "prague", full_header().encode()});
  out.push_back({"genesis", "small", text(R"({"config": {"chainId": 7, "homesteadBlock": 0,
"londonBlock": 0, "terminalTotalDifficulty": 0, "shanghaiTime": 5, "blobSchedule": {}},
"gasLimit": "0x1c9c380", "difficulty": "0x0", "timestamp": "0x1", "extraData": "0x01",
"alloc": {"0000000000000000000000000000000000000001": {"balance": "0x1", "nonce": "0x1",
"code": "0x60", "storage": {"0x00": "0x01"}}}})")});
}

void add_sessions(std::vector<Seed>& out) {
  const NodeId id{crypto::node_id_of(key().public_key())};
  Bytes control = session::encode_frame(session::Claim{session::kProtocolVersion, id, id});
  append(control, session::encode_frame(session::Proof{}));
  append(control, session::encode_frame(hello()));
  append(control, session::encode_frame(session::Activate{1, 2}));
  append(control, session::encode_ping());
  append(control, session::encode_pong());
  append(control, session::encode_disconnect(session::DisconnectReason::too_many_peers));
  out.push_back({"control_frames", "all", std::move(control)});
  out.push_back({"hello", "ours", body(session::encode_frame(hello()))});
  Bytes proven = to_bytes(id.view());
  const auto digest = session::proof_digest(transport::Side::dialler, {}, id, NodeId{});
  append(proven, crypto::sign(key(), digest.bytes));
  out.push_back({"id_proof", "good", proven});
  Bytes envelope{std::byte{11}};
  append(envelope, text_bytes("mini-sync/1"));
  for (const std::string_view payload : {"one", "another payload"}) {
    append_be<std::uint32_t>(envelope, static_cast<std::uint32_t>(payload.size()));
    append(envelope, text_bytes(payload));
  }
  out.push_back({"envelope", "two", std::move(envelope)});
  const mini_sync::HeaderItem item{full_header().encode(), Bytes(65)};
  out.push_back({"mini_sync", "status", mini_sync::encode(mini_sync::Status{})});
  out.push_back({"mini_sync", "get_headers",
                 mini_sync::encode(mini_sync::GetHeaders{9, {Hash32{}, Hash32{}}, 128, 3, true})});
  out.push_back({"mini_sync", "headers", mini_sync::encode(mini_sync::Headers{9, {item, item}})});
  out.push_back(
      {"mini_sync", "new_hashes", mini_sync::encode(mini_sync::NewBlockHashes{{{Hash32{}, 4}}})});
  out.push_back({"mini_sync", "new_block", mini_sync::encode(mini_sync::NewBlock{item})});
}

void add_store(std::vector<Seed>& out) {
  store::MemoryFileSystem files;
  store::OpenReport report;
  const auto opened = store::SegmentStore::open(files, "d", report);
  CHECK(opened.has_value());
  const std::array<Bytes, 2> records{text("first"), text("second record")};
  CHECK((*opened)->append(records).has_value());
  CHECK((*opened)->append(std::span{records}.first(1)).has_value());
  out.push_back({"store_segment", "two_batches", files.content("d/chain/000001.seg")});
}

#ifdef ETHNET_FUZZ_CONFIG
void add_config(std::vector<Seed>& out) {
  const auto add = [&](std::string name, std::string words, std::string variables,
                       std::string file) {
    Bytes input = text(words);
    for (const std::string& part : {variables, file}) {
      input.push_back(std::byte{0});
      append(input, text_bytes(part));
    }
    out.push_back({"config", std::move(name), std::move(input)});
  };
  add("flags", "--port=5\n--bootnodes\n127.0.0.1:9001,[::1]:2,host:3\n--produce\n--log.format=json",
      "", "");
  add("environment", "", "PORT=7\nMAXPEERS=3\nFORK_CHOICE=lexicographic-head\nPRODUCE=true", "");
  add("file", "--config=f", "",
      "port = 9\nbootnodes = [\"a:1\", \"b:2\"]\n[log]\nformat = \"json\"\n[memory]\n"
      "headers = 7\nsessions = 64\n");
  add("all", "--config\nf\n--addr=127.0.0.1", "VERBOSITY=4\nPERIOD=2",
      "verbosity = 1\nretention = 0x10\nproduce-forks = true\nimport = 'chain.rlp'\n");
  add("records", "--peer=enr:" + record().record().text().substr(4), "", "");
  const EnodeUrl url{key().public_key(), IpAddress::loopback_v4(), {}, 30303, 30301};
  add("enode", "--bootnodes=" + url.to_string() + "\n--help", "BOOTNODES=" + url.to_string(), "");
  add("checkpoints", "--fork-choice=checkpoint:f\n--config=f", "",
      "# 5 is no number of a line\n7 0x" + std::string(64, 'a') + "\n");
  add("seed", "--fork-choice", "FORK_CHOICE=random:7", "");
}

void add_lab(std::vector<Seed>& out) {
  const auto add = [&](std::string name, std::string_view yaml) {
    out.push_back({"lab_scenario", std::move(name), text(yaml)});
  };
  add("blocks",
      "name: x\nabout: >\n  two\n  lines\nrules: [longest, ghost]\nslot_seconds: 6\n"
      "checkpoints: [a1]\nsteps:\n"
      "- block: {name: a1, parent: genesis, producer: p, difficulty: 3}\n  note: first\n"
      "- blocks:\n  - {name: b1, parent: genesis, slot: 1}\n  - {name: b2, parent: b1, time: 90}\n"
      "  at: 20\n  from: eve\n  expect: {head: a1, reorg: {longest: 0}}\n- wait: 80\n");
  add("votes",
      "name: v\nsteps:\n- blocks: [{name: l, parent: genesis}, {name: r, parent: genesis}]\n"
      "- votes: [{by: v1, for: l, weight: 2}, {by: v2, for: r}]\n- votes: [{by: v1, for: r}]\n");
  add("withheld",
      "name: w\nsteps:\n- blocks:\n"
      "  - {name: m1, parent: genesis, withheld: true}\n  - {name: m2, parent: m1, withheld: "
      "true}\n"
      "- release: [m2]\n- release: [m1]\n");
  add("no_yaml", "name: [x\n\tsteps: &a {*a: !t \"\\x\"}\n---\n");
}

void add_json_rpc(std::vector<Seed>& out) {
  const auto add = [&](std::string name, std::string_view body) {
    out.push_back({"json_rpc", std::move(name), text(body)});
  };
  add("call", R"({"jsonrpc":"2.0","id":1,"method":"admin_peers"})");
  add("batch",
      R"([{"jsonrpc":"2.0","id":"a","method":"eth_syncing","params":[]},)"
      R"({"jsonrpc":"2.0","method":"net_version"},{"jsonrpc":"2.0","id":null,"method":"none"},7])");
  add("params", R"({"jsonrpc":"2.0","id":-1.5e3,"method":"admin_nodeInfo","params":{"x":[]}})");
  add("odd", R"({"jsonrpc":"1.0","id":{},"method":null,"params":"\ud800"})");
  add("scope",
      R"([{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["events",{"after":0}]},)"
      R"({"jsonrpc":"2.0","id":2,"method":"eth_unsubscribe","params":["0x1"]},)"
      R"({"jsonrpc":"2.0","id":3,"method":"ethscope_reorgs","params":[16]}])");
  add("node",
      R"([{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["latest",false]},)"
      R"({"jsonrpc":"2.0","id":2,"method":"eth_getHeaderByHash","params":["0x12"]},)"
      R"({"jsonrpc":"2.0","id":3,"method":"admin_addPeer","params":["peer:1"]}])");
  add("no_json", R"([[[[{"id":)");
}
#endif

void add_operation(Bytes& out, std::uint8_t flags, ByteView block) {
  out.push_back(static_cast<std::byte>(flags));
  append_be<std::uint16_t>(out, static_cast<std::uint16_t>(block.size()));
  append(out, block);
}

// Operations as tests/fuzz/session_machine.cpp reads them.
void add_session_machine(std::vector<Seed>& out) {
  const auto bytes = [](std::initializer_list<int> values) {
    Bytes made;
    for (const int value : values) made.push_back(static_cast<std::byte>(value));
    return made;
  };
  // Two peers come and are activated, one below us and one above; both say and get messages.
  out.push_back({"session_machine", "two_sessions",
                 bytes({3,  0, 0, 1, 3, 11, 0, 2, 8, 0,   0,  40, 40, 8,  1,   1,  20, 20,
                        19, 0, 0, 9, 9, 20, 1, 1, 8, 200, 25, 0,  4,  15, 200, 27, 0,  0})});
  // A dial that is answered, a twin of it that comes in while the first is silent, and time.
  out.push_back({"session_machine", "dial_and_twin",
                 bytes({0,   5,  0,   2,  0,  3, 11, 8, 0, 3,  11,  0,  2, 15,
                        200, 15, 200, 15, 20, 6, 0,  5, 0, 15, 255, 30, 30})});
  // Step by step, with slow jobs, a reset, a stream of nonsense, lazy reading, the end.
  out.push_back(
      {"session_machine", "step_by_step",
       bytes({1, 7, 6, 0,  0,  3,  17, 0, 6, 0, 1, 0, 17, 0,  6, 0, 2,  0, 6,  0, 3,   5,  24, 1,
              8, 0, 0, 99, 99, 14, 0,  6, 4, 1, 2, 3, 4,  28, 0, 0, 31, 1, 29, 0, 255, 24, 0})});
}

void add_quic(std::vector<Seed>& out) {
  testing::RawQuic peer{{}};
  CHECK(peer.connect());
  Bytes datagrams;
  const auto packet = [&](testing::Space space, std::uint64_t number, const Frames& frames) {
    return peer.make_packet(space, number, frames.bytes());
  };
  add_operation(datagrams, 1, packet(testing::Space::application, 5, Frames{}.ping()));
  add_operation(datagrams, 1 | 8,
                packet(testing::Space::application, 6,
                       Frames{}.stream(2, 0, text_bytes("moved")).path_challenge(4)));
  add_operation(datagrams, 4, packet(testing::Space::initial, 0, Frames{}.crypto(0, Bytes(30))));
  add_operation(datagrams, 1 | 2 | 16, packet(testing::Space::handshake, 9, Frames{}.ping()));
  out.push_back({"quic_datagrams", "some", datagrams});

  const Bytes cid(8, std::byte{0x33});
  Bytes frames{std::byte{0}};
  add_operation(frames, 2, Frames{}.stream(2, 0, text_bytes("hello")).stream(0, 3, cid).bytes());
  add_operation(frames, 0x42, Frames{}.ack(2, 0).numbers(0x10, {1U << 21}).bytes());
  add_operation(frames, 2, Frames{}.new_connection_id(1, 0, cid, 4).path_challenge(1).bytes());
  add_operation(frames, 0x72, Frames{}.reset_stream(6, 1, 0).stop_sending(0, 2).bytes());
  add_operation(frames, 2, Frames{}.stream(2, 5, {}, true).numbers(0x13, {40}).bytes());
  add_operation(frames, 2, Frames{}.close(0).bytes());
  out.push_back({"quic_frames", "many", frames});
  Bytes parameters{std::byte{1}};
  const Bytes said = testing::Parameters{}.number(0x04, 1U << 20).number(0x09, 3).encode();
  append_be<std::uint16_t>(parameters, static_cast<std::uint16_t>(said.size()));
  append(parameters, said);
  add_operation(parameters, 2, Frames{}.ping().bytes());
  out.push_back({"quic_frames", "parameters", parameters});
}

void add_das_lite(std::vector<Seed>& out) {
  const das::DataSet data = das::testing::test_data(5, 33, 2);  // as das.cpp has it
  const das::DataId& id = data.key().id;
  out.push_back({"das_lite", "announce", das_lite::encode(das_lite::AnnounceData{data.key()})});
  out.push_back({"das_lite", "request", das_lite::encode(das_lite::RequestChunk{id, {0, 3, 300}})});
  out.push_back(
      {"das_lite", "response",
       das_lite::encode(das_lite::ChunkResponse{id, 2, to_bytes(data.chunk(2)), data.proof(2)})});
  out.push_back({"das_lite", "not_held", das_lite::encode(das_lite::ChunkResponse{id, 2, {}, {}})});
}

}  // namespace

std::vector<Seed> seeds() {
  std::vector<Seed> out;
  add_values(out);
  add_das_lite(out);
  add_sessions(out);
  add_session_machine(out);
  add_store(out);
  add_machine_seeds(out);
  add_discovery_seeds(out);
  add_discv4_seeds(out);
  add_discv5_seeds(out);
  add_dns_seeds(out);
  add_nat_seeds(out);
  add_discv5_engine_seeds(out);
  add_host_seeds(out);
#ifdef ETHNET_FUZZ_CONFIG
  add_config(out);
  add_lab(out);
  add_sim_seeds(out);
  add_json_rpc(out);
#endif
  add_quic(out);
  return out;
}

}  // namespace ethnet::fuzz
