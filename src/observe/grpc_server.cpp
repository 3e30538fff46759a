#include "grpc_server.hpp"

#include <atomic>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <grpc/health/v1/health.pb.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include "event_log.hpp"
#include "grpc_door.hpp"
#include "log_watcher.hpp"
#include "scope_service.hpp"
#include "tcp_acceptor.hpp"

namespace ethnet::observe {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr int kKeepaliveMs = 30'000;         // a connection that is quiet for so long is asked
constexpr int kKeepaliveTimeoutMs = 10'000;  // and closed when it does not answer
constexpr int kIdleMs = 300'000;             // without a call
constexpr Duration kGoodbye = seconds(1);
constexpr const char* kScopeName = "ethscope.EthScope";

// The library would write lines of its own into the node's log, about what peers of it did.
void be_silent() {
  gpr_set_log_function([](gpr_log_func_args*) {});
}

// What is linked is what reflection can describe: the library names its health service and no more.
void describe_health() { (void)grpc::health::v1::HealthCheckRequest::descriptor(); }

std::unique_ptr<grpc::Server> build(ScopeService& service) {
  be_silent();
  describe_health();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  builder.SetMaxReceiveMessageSize(static_cast<int>(kMaxGrpcRequestBytes));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, static_cast<int>(kMaxGrpcCalls));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMs);
  auto server = builder.BuildAndStart();
  if (!server) throw std::runtime_error("gRPC does not start");
  return server;
}

}  // namespace

class GrpcServer::Impl {
 public:
  Impl(const GrpcConfig& config, EventLog& log)
      : log_{log},
        service_{board_, log_},
        acceptor_{io_, config.listen, "grpc"},
        server_{build(service_)} {
    say_serving(false);
    acceptor_.start([this](tcp::socket socket) { take(std::move(socket)); },
                    [this] { ++accept_errors_; });
    listener_ = std::thread{[this] { io_.run(); }};
    watcher_.emplace(log_, [this] { wake_streams(); });
  }
  ~Impl() {
    asio::post(io_, [this] { acceptor_.close(); });
    listener_.join();
    watcher_.reset();
    service_.streams().end_all();
    server_->Shutdown(gpr_time_from_nanos(kGoodbye.ns, GPR_TIMESPAN));
    server_->Wait();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void publish(SnapshotBoard::Snapshot snapshot) {
    board_.publish(std::move(snapshot));
    State expected = State::starting;
    if (state_.compare_exchange_strong(expected, State::serving)) log_.wake();
  }
  void drain() {
    state_ = State::draining;
    log_.wake();
  }
  [[nodiscard]] std::uint16_t port() const { return acceptor_.port(); }
  [[nodiscard]] std::vector<node::Counter> counters() const {
    const StreamList& streams = service_.streams();
    return {{"grpc.calls", service_.calls()},
            {"grpc.connections_taken", door_.taken()},
            {"grpc.connections_refused", door_.refused()},  // kMaxGrpcConnections
            {"grpc.accept_errors", accept_errors_},
            {"grpc.streams", streams.size(), node::CounterKind::gauge},
            {"grpc.streams_refused", streams.refused},  // kMaxEventStreams
            {"grpc.gaps", streams.gaps},
            {"grpc.events_missed", streams.missed},  // kMaxLoggedEvents, kMaxLoggedBytes
            {"grpc.log.events", log_.size(), node::CounterKind::gauge},
            {"grpc.log.bytes", log_.bytes(), node::CounterKind::gauge},
            {"grpc.publications_missed", board_.missed()}};
  }

 private:
  enum class State : std::uint8_t { starting, serving, draining };

  // On the listener's thread.
  void take(tcp::socket socket) {
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    door_.hand_over(*server_, std::move(socket));
  }

  // On the watcher's thread.
  void wake_streams() {
    if (const State now = state_; now != said_) {
      say_serving(now == State::serving);
      said_ = now;
    }
    service_.streams().wake_all();
  }

  void say_serving(bool serving) {
    grpc::HealthCheckServiceInterface& health = *server_->GetHealthCheckService();
    health.SetServingStatus("", serving);
    health.SetServingStatus(kScopeName, serving);
  }

  SnapshotBoard board_;
  EventLog& log_;
  ScopeService service_;
  asio::io_context io_{1};
  TcpAcceptor acceptor_;
  std::unique_ptr<grpc::Server> server_;
  GrpcDoor door_{kMaxGrpcConnections};
  std::atomic<State> state_{State::starting};
  std::atomic<std::uint64_t> accept_errors_{0};
  std::optional<State> said_;  // of the watcher's thread
  std::thread listener_;
  std::optional<LogWatcher> watcher_;
};

GrpcServer::GrpcServer(const GrpcConfig& config, EventLog& log)
    : impl_{std::make_unique<Impl>(config, log)} {}
GrpcServer::~GrpcServer() = default;
void GrpcServer::publish(SnapshotBoard::Snapshot snapshot) { impl_->publish(std::move(snapshot)); }
void GrpcServer::drain() { impl_->drain(); }
std::uint16_t GrpcServer::port() const { return impl_->port(); }
std::vector<node::Counter> GrpcServer::counters() const { return impl_->counters(); }

}  // namespace ethnet::observe
