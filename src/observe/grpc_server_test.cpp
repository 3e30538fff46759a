// The gRPC server on real sockets of this machine, asked by gRPC's own client.
#include "grpc_server.hpp"

#include <memory>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <ethscope.grpc.pb.h>
#include <fmt/format.h>
#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event_log.hpp"
#include "scope_client.hpp"

namespace ethnet::observe {
namespace {

constexpr UnixTime kTime{1'700'000'000'000'000'000};
constexpr Duration kPatience = seconds(60);

Hash32 hash_of(std::uint8_t byte) {
  Hash32 out;
  out.bytes.fill(static_cast<std::byte>(byte));
  return out;
}

std::string bytes_of(std::uint8_t byte) { return std::string(32, static_cast<char>(byte)); }

std::shared_ptr<const node::NodeSnapshot> snapshot_of_a_node() {
  node::NodeSnapshot s;
  s.taken = {.mono = Instant{seconds(100).ns}, .wall = kTime};
  s.started = {Instant{seconds(40).ns}, s.taken.wall + seconds(-60)};
  s.client = "MiniEthNet/test";
  s.chain_id = 1337;
  s.genesis = hash_of(1);
  s.head = hash_of(9);
  s.head_number = 90;
  s.earliest = 3;
  s.reorgs = 4;
  s.sessions = 1;
  s.discovered = 12;
  node::PeerView peer;
  peer.inbound = true;
  peer.client = "peer";
  peer.capabilities = {"das-lite/0.1", "mini-sync/0.1"};
  peer.remote = {IpAddress::loopback_v4(), 9001};
  peer.connected = Instant{seconds(70).ns};
  peer.rtt = milliseconds(5);
  peer.bytes_in = 10;
  peer.bytes_out = 20;
  peer.score = 1.5;
  s.peers.push_back(peer);
  s.blocks = std::make_shared<const std::vector<node::BlockView>>(std::vector<node::BlockView>{
      {.hash = hash_of(7), .parent = hash_of(6), .number = 80, .canonical = true},
      {.hash = hash_of(8), .parent = hash_of(7), .number = 89, .canonical = false},
      {.hash = hash_of(9), .parent = hash_of(7), .number = 90, .canonical = true}});
  node::DataSetView set;
  set.id = hash_of(5);
  set.total_chunks = 2;
  set.held = 1;
  set.requested = 2;
  set.received = 1;
  set.confidence = 0.5;
  set.chunks = {node::ChunkState::held, node::ChunkState::missing};
  s.data_sets.push_back(set);
  return std::make_shared<const node::NodeSnapshot>(std::move(s));
}

class GrpcServerTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string target() const { return fmt::format("127.0.0.1:{}", server.port()); }
  // A connection of its own.
  [[nodiscard]] std::unique_ptr<ethscope::EthScope::Stub> stub() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return ethscope::EthScope::NewStub(
        grpc::CreateCustomChannel(target(), grpc::InsecureChannelCredentials(), arguments));
  }
  static void set_deadline(grpc::ClientContext& context) {
    context.set_deadline(gpr_time_from_nanos(kPatience.ns, GPR_TIMESPAN));
  }
  [[nodiscard]] std::uint64_t counter(const std::string& name) const {
    for (const node::Counter& c : server.counters()) {
      if (c.name == name) return c.value;
    }
    ADD_FAILURE() << "no counter " << name;
    return 0;
  }

  EventLog log;
  GrpcServer server{GrpcConfig{.listen = {IpAddress::loopback_v4(), 0}}, log};
};

// A call to StreamEvents that is under way.
class Stream {
 public:
  Stream(ethscope::EthScope::Stub& stub, std::uint64_t after, bool only_new = false) {
    context_.set_deadline(gpr_time_from_nanos(kPatience.ns, GPR_TIMESPAN));
    ethscope::StreamEventsRequest request;
    request.set_after(after);
    request.set_only_new(only_new);
    reader_ = stub.StreamEvents(&context_, request);
  }
  ~Stream() { context_.TryCancel(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  ethscope::Event next() {
    ethscope::Event event;
    EXPECT_TRUE(reader_->Read(&event));
    return event;
  }
  grpc::Status finish() { return reader_->Finish(); }
  bool read(ethscope::Event& event) { return reader_->Read(&event); }
  void wait_for_header() { reader_->WaitForInitialMetadata(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<ethscope::Event>> reader_;
};

TEST_F(GrpcServerTest, BeforeTheFirstSnapshotItSaysThatTheNodeStarts) {
  grpc::ClientContext context;
  set_deadline(context);
  ethscope::Summary summary;
  const auto status = stub()->GetSummary(&context, {}, &summary);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "the node is starting");
}

TEST_F(GrpcServerTest, TheSummaryIsTheSnapshots) {
  server.publish(snapshot_of_a_node());
  log.append(kTime, node::SessionUp{});
  grpc::ClientContext context;
  set_deadline(context);
  ethscope::Summary s;
  ASSERT_TRUE(stub()->GetSummary(&context, {}, &s).ok());
  EXPECT_EQ(s.client(), "MiniEthNet/test");
  EXPECT_EQ(s.chain_id(), 1337U);
  EXPECT_EQ(s.genesis(), bytes_of(1));
  EXPECT_EQ(s.canonical_head().hash(), bytes_of(9));
  EXPECT_EQ(s.canonical_head().number(), 90U);
  EXPECT_EQ(s.earliest_block(), 3U);
  EXPECT_EQ(s.active_peers(), 1U);
  EXPECT_EQ(s.discovered_peers(), 12U);
  EXPECT_FALSE(s.syncing());
  EXPECT_EQ(s.sync_height(), 90U);
  EXPECT_EQ(s.canonical_switches(), 4U);
  EXPECT_EQ(s.cursor(), 1U);
  EXPECT_EQ(s.taken_unix_ns() - s.started_unix_ns(), seconds(60).ns);
}

TEST_F(GrpcServerTest, PeersTreeAndDataSetsAreTheSnapshots) {
  server.publish(snapshot_of_a_node());
  const auto client = stub();
  {
    grpc::ClientContext context;
    set_deadline(context);
    ethscope::ListPeersResponse peers;
    ASSERT_TRUE(client->ListPeers(&context, {}, &peers).ok());
    ASSERT_EQ(peers.peers_size(), 1);
    const ethscope::Peer& peer = peers.peers(0);
    EXPECT_EQ(peer.direction(), ethscope::Peer::INBOUND);
    EXPECT_EQ(peer.address(), "127.0.0.1:9001");
    EXPECT_EQ(peer.capabilities_size(), 2);
    EXPECT_EQ(peer.capabilities(1), "mini-sync/0.1");
    EXPECT_EQ(peer.rtt_ns(), 5'000'000U);
    EXPECT_EQ(peer.bytes_in(), 10U);
    EXPECT_EQ(peer.bytes_out(), 20U);
    EXPECT_EQ(peer.score(), 1.5);
    EXPECT_EQ(peer.age_ns(), 30'000'000'000U);
  }
  {
    grpc::ClientContext context;
    set_deadline(context);
    ethscope::GetForkTreeRequest request;
    request.set_depth(5);
    ethscope::ForkTree tree;
    ASSERT_TRUE(client->GetForkTree(&context, request, &tree).ok());
    ASSERT_EQ(tree.nodes_size(), 2) << "80 lies deeper";
    EXPECT_EQ(tree.nodes(0).number(), 89U);
    EXPECT_FALSE(tree.nodes(0).canonical());
    EXPECT_EQ(tree.nodes(1).parent(), bytes_of(7));
    EXPECT_TRUE(tree.nodes(1).canonical());
  }
  grpc::ClientContext context;
  set_deadline(context);
  ethscope::ListDataSetsResponse sets;
  ASSERT_TRUE(client->ListDataSets(&context, {}, &sets).ok());
  ASSERT_EQ(sets.data_sets_size(), 1);
  const ethscope::DataSet& set = sets.data_sets(0);
  EXPECT_EQ(set.data_id(), bytes_of(5));
  EXPECT_EQ(set.verdict().confidence(), 0.5);
  ASSERT_EQ(set.chunks_size(), 2);
  EXPECT_EQ(set.chunks(0), ethscope::DataSet::HELD);
  EXPECT_EQ(set.chunks(1), ethscope::DataSet::MISSING);
}

TEST_F(GrpcServerTest, EveryKindOfEventIsStreamedAsItComesAndAfterACursor) {
  const auto client = stub();
  Stream live{*client, 0};
  log.append(
      kTime,
      node::SessionUp{
          .peer = {}, .remote = {IpAddress::loopback_v4(), 1}, .inbound = false, .client = "c"});
  ethscope::Event event = live.next();
  EXPECT_EQ(event.cursor(), 1U);
  EXPECT_EQ(event.time_unix_ns(), kTime.ns);
  EXPECT_EQ(event.peer_joined().direction(), ethscope::Peer::OUTBOUND);
  EXPECT_EQ(event.peer_joined().client(), "c");
  log.append(kTime, node::HeadMoved{.hash = hash_of(2), .number = 7});
  EXPECT_EQ(live.next().canonical_head().head().number(), 7U);
  log.append(
      kTime,
      node::ForkSeen{
          .fork_point = hash_of(3), .branch_head = hash_of(4), .height = 6, .cause = "announced"});
  event = live.next();
  EXPECT_EQ(event.fork_detected().fork_point(), bytes_of(3));
  EXPECT_EQ(event.fork_detected().branch_head().number(), 6U);
  log.append(kTime, node::Reorganised{.old_head = hash_of(1),
                                      .new_head = hash_of(2),
                                      .fork_point = hash_of(3),
                                      .height = 8,
                                      .removed = {hash_of(1)},
                                      .added = {hash_of(4), hash_of(2)},
                                      .cause = "longer"});
  event = live.next();
  EXPECT_EQ(event.reorg().depth(), 1U);
  ASSERT_EQ(event.reorg().added_size(), 2);
  EXPECT_EQ(event.reorg().added(1), bytes_of(2));
  EXPECT_EQ(event.reorg().removed(0), bytes_of(1));
  EXPECT_EQ(event.reorg().cause(), "longer");
  log.append(kTime, node::DataSampled{.data_id = hash_of(5),
                                      .requested = 0,
                                      .received = 0,
                                      .confidence = {},
                                      .fooled_probability = 1,
                                      .done = true});
  event = live.next();
  EXPECT_EQ(event.das_verdict().data_id(), bytes_of(5));
  EXPECT_FALSE(event.das_verdict().has_confidence()) << "unknown";
  log.append(kTime, node::SessionDown{.peer = {}, .reason = "gone", .by_peer = true});
  EXPECT_EQ(live.next().peer_left().reason(), "gone");
  Stream resumed{*client, 4};
  EXPECT_EQ(resumed.next().cursor(), 5U);
  EXPECT_EQ(resumed.next().cursor(), 6U);
}

TEST_F(GrpcServerTest, OnlyNewBeginsWithWhatComes) {
  log.append(kTime, node::HeadMoved{.hash = {}, .number = 1});
  const auto client = stub();
  Stream fresh{*client, 0, true};
  fresh.wait_for_header();  // it has begun
  log.append(kTime, node::HeadMoved{.hash = {}, .number = 2});
  EXPECT_EQ(fresh.next().canonical_head().head().number(), 2U);
}

// Events have room until somebody looks: the server does, though nobody reads.
TEST_F(GrpcServerTest, WhatComesWhileNobodyReadsIsThereLater) {
  constexpr std::uint64_t kEvents = 2 * kMaxUnreadEvents;
  for (std::uint64_t i = 1; i <= kEvents; ++i) {
    log.append(kTime, node::HeadMoved{.hash = {}, .number = i});
    while (i % 1000 == 0 && counter("grpc.log.events") < i) {
    }
  }
  const auto client = stub();
  Stream stream{*client, 0};
  for (std::uint64_t i = 1; i <= kEvents; ++i) {
    ASSERT_EQ(stream.next().canonical_head().head().number(), i);
  }
  EXPECT_EQ(counter("grpc.gaps"), 0U);
}

TEST_F(GrpcServerTest, ACursorOfARunBeforeThisOneGivesAllOfThisOne) {
  log.append(kTime, node::HeadMoved{.hash = {}, .number = 1});
  const auto client = stub();
  Stream stream{*client, 5000};
  EXPECT_EQ(stream.next().canonical_head().head().number(), 1U);
}

TEST_F(GrpcServerTest, AReaderThatStallsSeesAGapAndTheOthersMissNothing) {
  const auto client = stub();
  const auto other = stub();
  Stream stalled{*client, 0};
  Stream reading{*other, 0};
  // More than the log and the stalled connection's window hold.
  const std::string reason(8192, 'x');
  std::uint64_t sent = 0;
  const auto send = [&] {
    log.append(kTime, node::SessionDown{.peer = {}, .reason = reason, .by_peer = true});
    ++sent;
  };
  while (sent < 2 * kMaxLoggedBytes / reason.size()) {
    send();
    ASSERT_EQ(reading.next().cursor(), sent);
  }
  std::uint64_t seen = 0;
  std::uint64_t missed = 0;
  for (std::uint64_t cursor = 0; cursor < sent;) {
    const ethscope::Event event = stalled.next();
    if (event.has_gap()) {
      missed += event.gap().missed();
      EXPECT_EQ(event.cursor(), cursor + event.gap().missed());
    } else {
      ++seen;
      EXPECT_EQ(event.cursor(), cursor + 1);
    }
    ASSERT_GT(event.cursor(), cursor);
    cursor = event.cursor();
  }
  EXPECT_GT(missed, 0U);
  EXPECT_EQ(seen + missed, sent);
  EXPECT_EQ(counter("grpc.events_missed"), missed);
  EXPECT_LE(counter("grpc.log.events"), kMaxLoggedEvents);
  EXPECT_LE(counter("grpc.log.bytes"), kMaxLoggedBytes);
}

TEST_F(GrpcServerTest, AtTheMostStreamsMoreAreToldSo) {
  const auto client = stub();
  std::vector<std::unique_ptr<Stream>> streams;
  for (std::size_t i = 0; i < kMaxEventStreams; ++i) {
    streams.push_back(std::make_unique<Stream>(*client, 0));
    streams.back()->wait_for_header();
  }
  EXPECT_EQ(counter("grpc.streams"), kMaxEventStreams);
  Stream one_more{*client, 0};
  ethscope::Event event;
  EXPECT_FALSE(one_more.read(event));
  EXPECT_EQ(one_more.finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(counter("grpc.streams_refused"), 1U);
  streams.clear();
  while (counter("grpc.streams") > 0) {
  }
  Stream again{*client, 0};
  log.append(kTime, node::SessionUp{});
  EXPECT_EQ(again.next().cursor(), 1U);
}

TEST_F(GrpcServerTest, AtTheMostConnectionsMoreAreClosed) {
  const auto connect = [&] {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(server.port());
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    return fd;
  };
  std::vector<int> open;
  for (std::size_t i = 0; i < kMaxGrpcConnections; ++i) open.push_back(connect());
  const int more = connect();
  char byte = 0;
  EXPECT_LE(::recv(more, &byte, 1, 0), 0) << "closed without a word";
  EXPECT_EQ(counter("grpc.connections_refused"), 1U);
  ::close(more);
  for (const int fd : open) ::close(fd);
  // gRPC notices that they are gone when it likes: the client tries until then.
  server.publish(snapshot_of_a_node());
  grpc::ClientContext context;
  set_deadline(context);
  context.set_wait_for_ready(true);
  ethscope::Summary summary;
  EXPECT_TRUE(stub()->GetSummary(&context, {}, &summary).ok());
}

TEST_F(GrpcServerTest, ReorganisationsAreGivenNewestFirst) {
  for (std::uint64_t i = 1; i <= 3; ++i) {
    node::Reorganised reorg;
    reorg.height = i;
    reorg.removed = {hash_of(1)};
    log.append(kTime, reorg);
  }
  const auto client = stub();
  grpc::ClientContext context;
  set_deadline(context);
  ethscope::GetReorgsRequest request;
  request.set_limit(2);
  ethscope::GetReorgsResponse response;
  ASSERT_TRUE(client->GetReorgs(&context, request, &response).ok());
  EXPECT_EQ(response.total(), 3U);
  ASSERT_EQ(response.reorgs_size(), 2);
  EXPECT_EQ(response.reorgs(0).reorg().new_head().number(), 3U);
  EXPECT_EQ(response.reorgs(1).cursor(), 2U);
  grpc::ClientContext again;
  set_deadline(again);
  request.set_limit(kMaxReorgsAsked + 1);
  const auto status = client->GetReorgs(&again, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "limit: at most 256");
}

TEST_F(GrpcServerTest, StreamsEndWithAReasonWhenTheServerDoes) {
  auto ending =
      std::make_unique<GrpcServer>(GrpcConfig{.listen = {IpAddress::loopback_v4(), 0}}, log);
  const auto client = ethscope::EthScope::NewStub(grpc::CreateChannel(
      fmt::format("127.0.0.1:{}", ending->port()), grpc::InsecureChannelCredentials()));
  Stream stream{*client, 0};
  log.append(kTime, node::SessionUp{});
  EXPECT_EQ(stream.next().cursor(), 1U);
  ending.reset();
  ethscope::Event event;
  EXPECT_FALSE(stream.read(event));
  EXPECT_EQ(stream.finish().error_message(), "the node stops");
}

TEST_F(GrpcServerTest, ATakenPortIsSaidInOneLine) {
  try {
    const GrpcServer second{GrpcConfig{.listen = {IpAddress::loopback_v4(), server.port()}}, log};
    FAIL() << "two listen";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string{error.what()},
              fmt::format("port {}/tcp is in use: name another one by --grpc.port, or --grpc=false",
                          server.port()));
  }
}

TEST_F(GrpcServerTest, TheClientForProgramsGivesJson) {
  server.publish(snapshot_of_a_node());
  ScopeClient client{target(), seconds(60)};
  const std::string summary = client.summary();
  EXPECT_NE(summary.find("\"canonical_head\":{\"hash\":\"0x0909"), std::string::npos) << summary;
  EXPECT_NE(summary.find("\"active_peers\":1,"), std::string::npos) << summary;
  EXPECT_NE(client.peers().find("\"direction\":\"INBOUND\""), std::string::npos);
  EXPECT_NE(client.data_sets().find("\"chunks\":[\"HELD\",\"MISSING\"]"), std::string::npos);
  log.append(kTime, node::HeadMoved{.hash = hash_of(2), .number = 7});
  log.append(kTime, node::HeadMoved{.hash = hash_of(3), .number = 8});
  std::vector<std::string> lines;
  client.events({.after = 0}, [&](const std::string& line) {
    lines.push_back(line);
    return lines.size() < 2;
  });
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(lines[1].starts_with("{\"cursor\":2,")) << lines[1];
  EXPECT_THROW((void)client.reorgs(1000), ScopeError);
}

std::string error_of(const std::string& target) {
  try {
    (void)ScopeClient{target, seconds(20)}.summary();
  } catch (const ScopeError& error) {
    return error.what();
  }
  return "";
}

TEST_F(GrpcServerTest, TheClientSaysWhyItHasNoAnswer) {
  EXPECT_EQ(error_of(target()), target() + ": the node is starting");
  EXPECT_EQ(error_of("127.0.0.1:1"),
            "no node answers at 127.0.0.1:1: is it running, and is this its gRPC port?");
  EXPECT_EQ(error_of("somewhere"), "'somewhere' is no HOST:PORT");
  EXPECT_EQ(error_of("localhost:99999"), "'localhost:99999' is no HOST:PORT");
  EXPECT_EQ(error_of("localhost:"), "'localhost:' is no HOST:PORT");
  EXPECT_FALSE(error_of("[::1").empty());
}

}  // namespace
}  // namespace ethnet::observe
