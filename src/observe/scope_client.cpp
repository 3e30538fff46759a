#include "scope_client.hpp"

#include <utility>

#include <base/decimal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <ethscope.grpc.pb.h>
#include <fmt/format.h>
#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>

#include "message_json.hpp"

namespace ethnet::observe {
namespace {

using boost::asio::ip::tcp;

// "localhost:10001" as addresses that gRPC takes as they are: IPv4 ones if there are any. Its own
// resolver leaks, and tells less.
std::string addresses_of(const std::string& target) {
  const std::size_t colon = target.rfind(':');
  const auto port =
      colon == std::string::npos ? std::nullopt : parse_decimal(target.substr(colon + 1));
  if (colon == 0 || !port || *port == 0 || *port > UINT16_MAX) {
    throw ScopeError{fmt::format("'{}' is no HOST:PORT", target)};
  }
  std::string host = target.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  boost::asio::io_context io;
  tcp::resolver resolver{io};
  boost::system::error_code error;
  const auto found = resolver.resolve(host, target.substr(colon + 1), error);
  if (error) throw ScopeError{fmt::format("{}: {}", target, error.message())};
  std::string v4;
  std::string v6;
  for (const auto& entry : found) {
    const tcp::endpoint at = entry.endpoint();
    const std::string ip = at.address().to_string();
    std::string& list = at.address().is_v4() ? v4 : v6;
    if (!list.empty()) list += ',';
    list += at.address().is_v4() ? fmt::format("{}:{}", ip, at.port())
                                 : fmt::format("[{}]:{}", ip, at.port());
  }
  return v4.empty() ? "ipv6:" + v6 : "ipv4:" + v4;
}

}  // namespace

class ScopeClient::Impl {
 public:
  Impl(std::string target, Duration patience)
      : target_{std::move(target)},
        patience_{patience},
        stub_{ethscope::EthScope::NewStub(
            grpc::CreateChannel(addresses_of(target_), grpc::InsecureChannelCredentials()))} {}

  template <class Request, class Response>
  std::string call(grpc::Status (ethscope::EthScope::Stub::*method)(grpc::ClientContext*,
                                                                    const Request&, Response*),
                   const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(gpr_time_from_nanos(patience_.ns, GPR_TIMESPAN));
    Response response;
    const grpc::Status status = (*stub_.*method)(&context, request, &response);
    if (!status.ok()) throw failed(status);
    return json_text(response);
  }

  void events(From from, const std::function<bool(const std::string&)>& on_event) {
    grpc::ClientContext context;
    ethscope::StreamEventsRequest request;
    request.set_after(from.after);
    request.set_only_new(from.only_new);
    const auto reader = stub_->StreamEvents(&context, request);
    ethscope::Event event;
    while (reader->Read(&event)) {
      if (on_event(json_text(event))) continue;
      context.TryCancel();
      return;
    }
    const grpc::Status status = reader->Finish();
    if (!status.ok()) throw failed(status);
  }

 private:
  [[nodiscard]] ScopeError failed(const grpc::Status& status) const {
    // What the library itself says is long, and says no more.
    if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED ||
        status.error_message().starts_with("failed to connect")) {
      return ScopeError{
          fmt::format("no node answers at {}: is it running, and is this its gRPC port?", target_)};
    }
    return ScopeError{fmt::format("{}: {}", target_, status.error_message())};
  }

  std::string target_;
  Duration patience_;
  std::unique_ptr<ethscope::EthScope::Stub> stub_;
};

ScopeClient::ScopeClient(const std::string& target, Duration patience)
    : impl_{std::make_unique<Impl>(target, patience)} {}
ScopeClient::~ScopeClient() = default;

std::string ScopeClient::summary() {
  return impl_->call(&ethscope::EthScope::Stub::GetSummary, ethscope::GetSummaryRequest{});
}

std::string ScopeClient::peers() {
  return impl_->call(&ethscope::EthScope::Stub::ListPeers, ethscope::ListPeersRequest{});
}

std::string ScopeClient::reorgs(std::uint32_t limit) {
  ethscope::GetReorgsRequest request;
  request.set_limit(limit);
  return impl_->call(&ethscope::EthScope::Stub::GetReorgs, request);
}

std::string ScopeClient::fork_tree(std::uint32_t depth) {
  ethscope::GetForkTreeRequest request;
  request.set_depth(depth);
  return impl_->call(&ethscope::EthScope::Stub::GetForkTree, request);
}

std::string ScopeClient::data_sets() {
  return impl_->call(&ethscope::EthScope::Stub::ListDataSets, ethscope::ListDataSetsRequest{});
}

void ScopeClient::events(From from, const std::function<bool(const std::string&)>& on_event) {
  impl_->events(from, on_event);
}

}  // namespace ethnet::observe
