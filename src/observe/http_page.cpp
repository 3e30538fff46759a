#include "http_page.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <fmt/format.h>

#include "metrics.hpp"

namespace ethnet::observe {
namespace {

namespace http = boost::beast::http;

struct Told {
  http::status status;
  std::string_view name;
  std::string_view message;
};

Told told(Refusal refusal) {
  switch (refusal) {
    case Refusal::bad_request:
      return {http::status::bad_request, "bad_request", "this is no HTTP/1.1 request"};
    case Refusal::header_too_large:
      return {http::status::request_header_fields_too_large, "header_too_large",
              "the header is larger than 8 KiB"};
    case Refusal::body_too_large:
      return {http::status::payload_too_large, "body_too_large", "the body is larger than 1 MiB"};
    case Refusal::host_not_allowed:
      return {http::status::forbidden, "host_not_allowed",
              "the Host header names none of our names: see --http.vhosts"};
    case Refusal::origin_not_allowed:
      return {http::status::forbidden, "origin_not_allowed",
              "requests of web pages of another origin are not answered"};
    case Refusal::not_found:
      return {http::status::not_found, "not_found",
              "there are /metrics, /debug/metrics/prometheus, /health, /ready and /"};
    case Refusal::method_not_allowed:
      return {http::status::method_not_allowed, "method_not_allowed",
              "use GET or HEAD; POST is for / alone"};
    case Refusal::media_type:
      return {http::status::unsupported_media_type, "media_type",
              "the Content-Type of JSON-RPC is application/json"};
    case Refusal::header_timeout:
      return {http::status::request_timeout, "header_timeout", "the header came too slowly"};
    case Refusal::body_timeout:
      return {http::status::request_timeout, "body_timeout", "the body came too slowly"};
    case Refusal::write_timeout:
      return {http::status::request_timeout, "write_timeout", "the answer was read too slowly"};
    case Refusal::message_too_large:
      return {http::status::payload_too_large, "message_too_large",
              "the message is larger than 128 KiB"};
    case Refusal::binary_message:
      return {http::status::unsupported_media_type, "binary_message", "JSON-RPC is text"};
    case Refusal::silent:
      return {http::status::request_timeout, "silent", "the WebSocket answered no ping"};
  }
  return {http::status::bad_request, "unknown", ""};
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// A browser asks first before it sends this type to another origin, and is told no.
bool is_json(std::string_view type) {
  return lower(type.substr(0, std::min(type.find_first_of("; "), type.size()))) ==
         "application/json";
}

std::string_view path_of(const HttpRequest& request) {
  const std::string_view target{request.target()};
  return target.substr(0, target.find('?'));
}

HttpResponse make(http::status status, unsigned version, std::string_view type, std::string body) {
  HttpResponse out{status, version};
  out.set(http::field::content_type, type);
  out.set(http::field::cache_control, "no-store");
  out.set("X-Content-Type-Options", "nosniff");
  out.set("X-Frame-Options", "DENY");
  out.set("Referrer-Policy", "no-referrer");
  out.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  out.set("Cross-Origin-Resource-Policy", "same-origin");
  out.body() = std::move(body);
  return out;
}

constexpr std::string_view kIndex =
    "MiniEthNet\n\n"
    "GET  /metrics  Prometheus text, also at /debug/metrics/prometheus\n"
    "GET  /health   the process answers\n"
    "GET  /ready    it listens and does not drain\n"
    "POST /         JSON-RPC 2.0: web3_clientVersion, net_peerCount, eth_blockNumber,\n"
    "               admin_nodeInfo, admin_peers, ethscope_summary, ...\n"
    "GET  /         as WebSocket: the same, and eth_subscribe: newHeads, reorgs, events\n";
constexpr std::string_view kNoPage =
    "\nThis build has no page to look at: ./dev web makes one, and the next build takes it in.\n";
constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";

// Scripts, styles and images of its own, and calls to us: nothing of anybody else, nothing inline.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

HttpResponse make(const StaticFile& file, unsigned version) {
  HttpResponse out = make(http::status::ok, version, content_type(file), std::string{file.bytes});
  out.set("Content-Security-Policy", kPagePolicy);
  if (is_immutable(file)) {
    out.set(http::field::cache_control, "public, max-age=31536000, immutable");
  }
  return out;
}

}  // namespace

std::string_view to_string(Refusal refusal) { return told(refusal).name; }

HttpPage::HttpPage(const SnapshotBoard& board, EventLog& log, HostNames names, StaticFiles files,
                   ParsePeer parse_peer)
    : board_{board},
      log_{log},
      names_{std::move(names)},
      files_{files},
      parse_peer_{std::move(parse_peer)} {}

HttpResponse HttpPage::refuse(Refusal refusal, unsigned version) {
  count(refusal);
  ++counters_.requests;
  const Told what = told(refusal);
  HttpResponse out =
      make(what.status, version, kJson,
           fmt::format("{{\"error\":\"{}\",\"message\":\"{}\"}}\n", what.name, what.message));
  if (refusal == Refusal::method_not_allowed) out.set(http::field::allow, "GET, HEAD, POST");
  out.keep_alive(false);
  out.prepare_payload();
  return out;
}

std::optional<Refusal> HttpPage::judge(const HttpRequest& request) const {
  if (request.count(http::field::host) != 1) return Refusal::bad_request;
  const std::string host = request[http::field::host];
  if (!names_.contains(host)) return Refusal::host_not_allowed;
  const auto origin = request.find(http::field::origin);
  if (origin != request.end() && lower(origin->value()) != "http://" + lower(host)) {
    return Refusal::origin_not_allowed;
  }
  return std::nullopt;
}

bool HttpPage::wants_socket(const HttpRequest& request) {
  return path_of(request) == "/" && boost::beast::websocket::is_upgrade(request);
}

// A browser lets any page open a WebSocket to us and read what comes: its Origin is all that tells.
std::optional<HttpResponse> HttpPage::refuse_socket(const HttpRequest& request) {
  const auto refusal = judge(request);
  if (refusal) return refuse(*refusal, request.version());
  ++counters_.requests;
  return std::nullopt;
}

RpcRequest HttpPage::read_message(std::string_view message) const {
  return RpcRequest{message, parse_peer_};
}

std::string HttpPage::answer_message(const RpcRequest& message, Subscriptions& subscriptions,
                                     std::span<const node::Answer> answers) {
  ++counters_.socket_messages;
  const SnapshotBoard::Snapshot snapshot = board_.newest();
  return message.answer({snapshot.get(), log_, &subscriptions, answers}, counters_.rpc);
}

std::optional<RpcRequest> HttpPage::read_call(const HttpRequest& request) const {
  const bool is_call = request.method() == http::verb::post && path_of(request) == "/" &&
                       is_json(request[http::field::content_type]) && !judge(request);
  if (!is_call) return std::nullopt;
  return RpcRequest{request.body(), parse_peer_};
}

HttpResponse HttpPage::answer(const HttpRequest& request, const std::optional<RpcRequest>& call,
                              std::span<const node::Answer> answers) {
  if (const auto refusal = judge(request)) return refuse(*refusal, request.version());
  HttpResponse out = call ? answer_call(request, *call, answers) : route(request);
  if (out.need_eof() || !request.keep_alive()) out.keep_alive(false);
  if (request.method() == http::verb::head) {
    const std::size_t size = out.body().size();
    out.body().clear();
    out.content_length(size);
  }
  return out;
}

HttpResponse HttpPage::route(const HttpRequest& request) {
  const unsigned version = request.version();
  const std::string_view path = path_of(request);
  const bool is_metrics = path == "/metrics" || path == "/debug/metrics/prometheus";
  const StaticFile* const file = file_of(request);
  if (file == nullptr && !is_metrics && path != "/health" && path != "/ready" && path != "/") {
    return refuse(Refusal::not_found, version);
  }
  if (path == "/" && request.method() == http::verb::post) {
    return refuse(Refusal::media_type, version);  // it would be a call otherwise
  }
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    return refuse(Refusal::method_not_allowed, version);
  }
  ++counters_.requests;
  const SnapshotBoard::Snapshot snapshot = board_.newest();
  const bool ready = snapshot != nullptr && !draining_;
  HttpResponse out;
  if (file != nullptr) {
    out = make(*file, version);
  } else if (path == "/health") {
    out = make(http::status::ok, version, kText, "alive\n");
  } else if (path == "/") {
    out = make(http::status::ok, version, kText,
               fmt::format("{}{}", kIndex, files_.empty() ? kNoPage : ""));
  } else if (path == "/ready" || snapshot == nullptr) {
    out = make(ready ? http::status::ok : http::status::service_unavailable, version, kText,
               ready       ? "ready\n"
               : draining_ ? "draining\n"
                           : "starting\n");
  } else {
    out = make(http::status::ok, version, kMetricsType, prometheus_text(*snapshot, own_counters()));
  }
  if (path == "/") out.set(http::field::vary, "Accept");
  out.keep_alive(request.keep_alive());
  out.prepare_payload();
  return out;
}

// A browser that goes to / says that it takes HTML; a script gets the text.
const StaticFile* HttpPage::file_of(const HttpRequest& request) const {
  const std::string_view path = path_of(request);
  if (path != "/") return find_file(files_, path);
  const bool is_browser =
      lower(request[http::field::accept]).find("text/html") != std::string::npos;
  return is_browser ? find_file(files_, "/index.html") : nullptr;
}

HttpResponse HttpPage::answer_call(const HttpRequest& request, const RpcRequest& call,
                                   std::span<const node::Answer> answers) {
  ++counters_.requests;
  const SnapshotBoard::Snapshot snapshot = board_.newest();
  std::string answer = call.answer({snapshot.get(), log_, nullptr, answers}, counters_.rpc);
  const http::status status = answer.empty() ? http::status::no_content : http::status::ok;
  HttpResponse out = make(status, request.version(), kJson, std::move(answer));
  out.keep_alive(request.keep_alive());
  out.prepare_payload();
  return out;
}

std::vector<node::Counter> HttpPage::own_counters() const {
  std::vector<node::Counter> out{
      {"http.requests", counters_.requests},
      {"http.accept_errors", counters_.accept_errors},
      {"http.evicted", counters_.evicted},
      {"http.rpc_calls", counters_.rpc.calls},
      {"http.rpc_errors", counters_.rpc.errors},
      {"http.node_asked", counters_.node.asked},
      {"http.node_silent", counters_.node.silent},
      {"http.publications_missed", board_.missed()},
      {"http.connections", connections_, node::CounterKind::gauge},
      {"http.sockets", sockets_, node::CounterKind::gauge},
      {"http.sockets_opened", counters_.sockets_opened},
      {"http.sockets_evicted", counters_.sockets_evicted},
      {"http.socket_messages", counters_.socket_messages},
      {"http.subscriptions", counters_.subscriptions.open, node::CounterKind::gauge},
      {"http.subscriptions_refused", counters_.subscriptions.refused},
      {"http.notifications", counters_.subscriptions.notifications},
      {"http.gaps", counters_.subscriptions.gaps},
      {"http.events_missed", counters_.subscriptions.missed},
  };
  for (const Refusal refusal : kRefusals) {
    out.push_back({fmt::format("http.refused.{}", to_string(refusal)),
                   counters_.refused[static_cast<std::size_t>(refusal)]});
  }
  return out;
}

}  // namespace ethnet::observe
