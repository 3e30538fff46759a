// What the listener answers, without sockets: a request in, an answer out, and a count of each
// refusal. Pure functions of the newest snapshot, of the log of events, and of what the node was
// asked for a call.
//
//   GET  /metrics, /debug/metrics/prometheus   Prometheus text
//   GET  /health                               200: the process answers
//   GET  /ready                                200: the node listens and does not drain; 503 else
//   GET  /                                     what there is, for a person; the page, for a browser
//   GET  /assets/..., /favicon.svg             files of the page (web_page.hpp)
//   POST /                                     JSON-RPC (json_rpc.hpp)
//   GET  / with Upgrade: websocket             the same in messages, and subscriptions: what is
//                                              answered is here, the rest in web_socket.hpp
//
// A page in a browser may be made to call us under a name of its own (DNS rebinding), so a request
// has to name us as we are called: localhost, 127.0.0.1, [::1], where we listen, or a name of
// --http.vhosts. No other origin is allowed anything (no CORS).
// Threading: one thread. Limits: below; what exceeds one is refused, counted and told.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <node/snapshot.hpp>

#include "host_names.hpp"
#include "json_rpc.hpp"
#include "node_line.hpp"
#include "snapshot_board.hpp"
#include "static_files.hpp"
#include "subscriptions.hpp"

namespace ethnet::observe {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;
using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;

enum class Refusal : std::uint8_t {
  bad_request,
  header_too_large,
  body_too_large,
  host_not_allowed,
  origin_not_allowed,
  not_found,
  method_not_allowed,
  media_type,
  header_timeout,
  body_timeout,
  write_timeout,
  // Of a WebSocket.
  message_too_large,
  binary_message,
  silent,
};
inline constexpr std::array kRefusals{Refusal::bad_request,        Refusal::header_too_large,
                                      Refusal::body_too_large,     Refusal::host_not_allowed,
                                      Refusal::origin_not_allowed, Refusal::not_found,
                                      Refusal::method_not_allowed, Refusal::media_type,
                                      Refusal::header_timeout,     Refusal::body_timeout,
                                      Refusal::write_timeout,      Refusal::message_too_large,
                                      Refusal::binary_message,     Refusal::silent};
[[nodiscard]] std::string_view to_string(Refusal refusal);

struct HttpCounters {
  std::uint64_t requests = 0;
  std::uint64_t accept_errors = 0;
  std::uint64_t evicted = 0;  // kMaxHttpConnections
  std::uint64_t sockets_opened = 0;
  std::uint64_t sockets_evicted = 0;  // kMaxWebSockets
  std::uint64_t socket_messages = 0;
  NodeLineCounters node;
  SubscriptionCounters subscriptions;
  RpcCounters rpc;
  std::array<std::uint64_t, kRefusals.size()> refused{};
};

class HttpPage {
 public:
  // Board and log outlive it. `names`: hosts that we are called.
  // `files`: the page. `parse_peer`: none where peers may not be changed.
  HttpPage(const SnapshotBoard& board, EventLog& log, HostNames names, StaticFiles files = {},
           ParsePeer parse_peer = {});

  // The call that the request is; nothing: it is none, or one that is refused.
  [[nodiscard]] std::optional<RpcRequest> read_call(const HttpRequest& request) const;
  // `call`: what read_call() gave of it. `answers`: to its queries.
  [[nodiscard]] HttpResponse answer(const HttpRequest& request,
                                    const std::optional<RpcRequest>& call,
                                    std::span<const node::Answer> answers);
  // Of what asks nothing of the node.
  [[nodiscard]] HttpResponse answer(const HttpRequest& request) {
    return answer(request, read_call(request), {});
  }
  // It asks to become a WebSocket. Elsewhere than at / the wish is ignored.
  [[nodiscard]] static bool wants_socket(const HttpRequest& request);
  // Why it may not; null: it may.
  [[nodiscard]] std::optional<HttpResponse> refuse_socket(const HttpRequest& request);
  // Of one message of a WebSocket, and the answer to it; empty: nothing.
  [[nodiscard]] RpcRequest read_message(std::string_view message) const;
  [[nodiscard]] std::string answer_message(const RpcRequest& message, Subscriptions& subscriptions,
                                           std::span<const node::Answer> answers = {});
  // Of a request that did not come to be one.
  [[nodiscard]] HttpResponse refuse(Refusal refusal, unsigned version);
  void count(Refusal refusal) { ++counters_.refused[static_cast<std::size_t>(refusal)]; }

  // Not ready from now on.
  void drain() { draining_ = true; }
  [[nodiscard]] HttpCounters& counters() { return counters_; }
  // Now: all together, and the WebSockets among them.
  void set_connections(std::size_t connections, std::size_t sockets) {
    connections_ = connections;
    sockets_ = sockets;
  }

 private:
  [[nodiscard]] HttpResponse route(const HttpRequest& request);
  [[nodiscard]] HttpResponse answer_call(const HttpRequest& request, const RpcRequest& call,
                                         std::span<const node::Answer> answers);
  [[nodiscard]] const StaticFile* file_of(const HttpRequest& request) const;
  [[nodiscard]] std::optional<Refusal> judge(const HttpRequest& request) const;
  [[nodiscard]] std::vector<node::Counter> own_counters() const;

  const SnapshotBoard& board_;
  EventLog& log_;
  HostNames names_;
  StaticFiles files_;
  ParsePeer parse_peer_;
  HttpCounters counters_;
  std::size_t connections_ = 0;
  std::size_t sockets_ = 0;
  bool draining_ = false;
};

}  // namespace ethnet::observe
