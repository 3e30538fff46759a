#include "control_server.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>
#include <observe/grpc_door.hpp>

#include "control_service.hpp"
#include "unix_acceptor.hpp"

namespace ethnet::control {

namespace asio = boost::asio;

namespace {

constexpr Duration kGoodbye = seconds(1);
// Beside a thread for each call: those with which gRPC waits for the next.
constexpr std::size_t kPollers = 2;

std::unique_ptr<grpc::Server> build(ControlService& service) {
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  builder.SetMaxReceiveMessageSize(static_cast<int>(kMaxControlMessageBytes));
  grpc::ResourceQuota quota{"ethnet.Control"};
  quota.SetMaxThreads(static_cast<int>(kMaxControlCalls + kPollers));
  builder.SetResourceQuota(quota);
  auto server = builder.BuildAndStart();
  if (!server) throw std::runtime_error("gRPC does not start");
  return server;
}

}  // namespace

class ControlServer::Impl {
 public:
  Impl(ControlConfig config, Desk& desk)
      : config_{std::move(config)},
        desk_{desk},
        service_{config_, desk},
        acceptor_{io_, config_.path},
        server_{build(service_)} {
    desk_.open(config_.post);
    acceptor_.start(
        [this](UnixAcceptor::Socket socket) { door_.hand_over(*server_, std::move(socket)); },
        [this] { ++accept_errors_; });
    listener_ = std::thread{[this] { io_.run(); }};
  }
  ~Impl() {
    asio::post(io_, [this] { acceptor_.close(); });
    listener_.join();
    desk_.close();
    server_->Shutdown(gpr_time_from_nanos(kGoodbye.ns, GPR_TIMESPAN));
    server_->Wait();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] std::vector<node::Counter> counters() const {
    return {{"control.calls", service_.calls()},
            {"control.connections_taken", door_.taken()},
            {"control.connections_refused", door_.refused()},  // kMaxControlConnections
            {"control.accept_errors", accept_errors_}};
  }

 private:
  ControlConfig config_;
  Desk& desk_;
  ControlService service_;
  asio::io_context io_{1};
  UnixAcceptor acceptor_;
  std::unique_ptr<grpc::Server> server_;
  observe::GrpcDoor door_{kMaxControlConnections};
  std::atomic<std::uint64_t> accept_errors_{0};
  std::thread listener_;
};

ControlServer::ControlServer(ControlConfig config, Desk& desk)
    : impl_{std::make_unique<Impl>(std::move(config), desk)} {}
ControlServer::~ControlServer() = default;
std::vector<node::Counter> ControlServer::counters() const { return impl_->counters(); }

}  // namespace ethnet::control
