#include "json_rpc.hpp"

#include <algorithm>
#include <array>
#include <expected>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "event_log.hpp"
#include "grpc_server.hpp"
#include "scope_json.hpp"
#include "subscriptions.hpp"

namespace ethnet::observe {
namespace {

using Json = nlohmann::json;
using node::NodeSnapshot;

using Outcome = RpcOutcome<std::string>;  // JSON

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// No leading zeros, as Ethereum's quantities are.
std::string quantity(std::uint64_t value) { return fmt::format("{:#x}", value); }

std::string plain_hex(const NodeId& id) {
  const std::string text = id.hex();
  return text.starts_with("0x") ? text.substr(2) : text;
}

Json syncing(const NodeSnapshot& s) {
  if (!s.syncing) return false;
  return Json{{"startingBlock", quantity(s.syncing->start)},
              {"currentBlock", quantity(s.head_number)},
              {"highestBlock", quantity(s.syncing->target)}};
}

Json node_info(const NodeSnapshot& s) {
  const Json chain{{"network", s.chain_id},
                   {"genesis", s.genesis.hex()},
                   {"head", s.head.hex()},
                   {"number", s.head_number}};
  return Json{{"id", plain_hex(s.id)},
              {"name", s.client},
              {"enode", s.enode},
              {"enr", s.enr},
              {"ip", s.listen.ip.to_string()},
              {"ports", {{"discovery", s.discovery_port}, {"listener", s.listen.port}}},
              {"listenAddr", s.listen.to_string()},
              {"protocols", {{"mini-sync", chain}}}};
}

Json peers(const NodeSnapshot& s) {
  Json out = Json::array();
  for (const node::PeerView& peer : s.peers) {
    const Json chain{{"head", peer.head.hex()}, {"number", peer.head_number}};
    out.push_back(
        Json{{"id", plain_hex(peer.id)},
             {"name", peer.client},
             {"caps", peer.capabilities},
             {"network", {{"remoteAddress", peer.remote.to_string()}, {"inbound", peer.inbound}}},
             {"visit", peer.visit},
             {"protocols", {{"mini-sync", chain}}}});
  }
  return out;
}

// Without params, of the snapshot alone.
struct Method {
  std::string_view name;
  Json (*call)(const NodeSnapshot&);
};
constexpr std::array kMethods{
    Method{"rpc_modules",
           [](const NodeSnapshot&) {
             return Json{{"admin", "1.0"}, {"eth", "1.0"}, {"ethscope", "1.0"},
                         {"net", "1.0"},   {"rpc", "1.0"}, {"web3", "1.0"}};
           }},
    Method{"web3_clientVersion", [](const NodeSnapshot& s) { return Json(s.client); }},
    Method{"net_version", [](const NodeSnapshot& s) { return Json(std::to_string(s.chain_id)); }},
    Method{"net_listening", [](const NodeSnapshot&) { return Json(true); }},
    Method{"net_peerCount", [](const NodeSnapshot& s) { return Json(quantity(s.sessions)); }},
    Method{"eth_chainId", [](const NodeSnapshot& s) { return Json(quantity(s.chain_id)); }},
    Method{"eth_syncing", syncing},
    Method{"admin_nodeInfo", node_info},
    Method{"admin_peers", peers},
};

// One call, for methods that ask more than the snapshot.
struct Inquiry {
  const NodeSnapshot& snapshot;
  const RpcSource& source;
  const Json& params;  // an array or an object, maybe empty
};
struct ScopeMethod {
  std::string_view name;
  std::size_t most_params;
  Outcome (*call)(const Inquiry&);
};

Outcome reorgs(const Inquiry& q) {
  std::uint64_t limit = 0;
  if (!q.params.empty()) {
    const Json& wanted = q.params.front();
    if (!q.params.is_array() || !wanted.is_number_unsigned() || wanted > kMaxReorgsAsked) {
      return rpc_failed(RpcCode::invalid_params,
                        fmt::format("params: [limit], a number of at most {}", kMaxReorgsAsked));
    }
    limit = wanted.get<std::uint64_t>();
  }
  return reorgs_json(q.source.log.reorgs(limit == 0 ? kDefaultReorgs : limit, kMaxRpcReorgBytes));
}

// The cursor of `{"after": CURSOR}`.
RpcOutcome<std::uint64_t> after_of(const Json& options) {
  const auto after = options.find("after");
  if (!options.is_object() || options.size() != 1 || after == options.end() ||
      !after->is_number_unsigned()) {
    return rpc_failed(RpcCode::invalid_params, "options of events: {\"after\": CURSOR}");
  }
  return after->get<std::uint64_t>();
}

Outcome subscribe(const Inquiry& q) {
  Subscriptions* const subscriptions = q.source.subscriptions;
  if (subscriptions == nullptr) {
    return rpc_failed(RpcCode::method_not_found, "subscriptions are for a WebSocket");
  }
  static constexpr std::array<std::pair<std::string_view, Topic>, 3> kTopics{
      {{"newHeads", Topic::heads}, {"reorgs", Topic::reorgs}, {"events", Topic::events}}};
  const bool named = q.params.is_array() && !q.params.empty() && q.params.front().is_string();
  const std::string name = named ? q.params.front().get<std::string>() : std::string{};
  const auto* const topic =
      std::ranges::find(kTopics, name, &std::pair<std::string_view, Topic>::first);
  if (topic == kTopics.end()) {
    return rpc_failed(RpcCode::invalid_params,
                      "there are newHeads, reorgs and events to subscribe to");
  }
  std::optional<std::uint64_t> after;
  if (q.params.size() > 1) {
    if (topic->second != Topic::events) {
      return rpc_failed(RpcCode::invalid_params, "this subscription has no options");
    }
    const auto cursor = after_of(q.params[1]);
    if (!cursor) return std::unexpected{cursor.error()};
    after = *cursor;
  }
  const auto id = subscriptions->add(topic->second, after);
  if (!id) {
    return rpc_failed(RpcCode::limit_exceeded,
                      fmt::format("a connection has at most {} subscriptions", kMaxSubscriptions));
  }
  return fmt::format("\"{}\"", *id);
}

Outcome unsubscribe(const Inquiry& q) {
  if (q.source.subscriptions == nullptr) {
    return rpc_failed(RpcCode::method_not_found, "subscriptions are for a WebSocket");
  }
  if (!q.params.is_array() || q.params.empty() || !q.params.front().is_string()) {
    return rpc_failed(RpcCode::invalid_params, "params: [subscription]");
  }
  const bool removed = q.source.subscriptions->remove(q.params.front().get<std::string>());
  return removed ? "true" : "false";
}

constexpr std::array kScopeMethods{
    ScopeMethod{"ethscope_summary", 0,
                [](const Inquiry& q) -> Outcome {
                  return summary_json(q.snapshot, q.source.log.newest());
                }},
    ScopeMethod{"ethscope_peers", 0,
                [](const Inquiry& q) -> Outcome { return peers_json(q.snapshot); }},
    ScopeMethod{"ethscope_reorgs", 1, reorgs},
    ScopeMethod{"ethscope_forkTree", 0,
                [](const Inquiry& q) -> Outcome { return fork_tree_json(q.snapshot); }},
    ScopeMethod{"ethscope_dataSets", 0,
                [](const Inquiry& q) -> Outcome { return data_sets_json(q.snapshot); }},
    ScopeMethod{"ethscope_refusals", 0,
                [](const Inquiry& q) -> Outcome { return refusals_json(q.snapshot); }},
    ScopeMethod{"ethscope_counters", 0,
                [](const Inquiry& q) -> Outcome { return counters_json(q.snapshot); }},
    ScopeMethod{"eth_subscribe", 2, subscribe},
    ScopeMethod{"eth_unsubscribe", 1, unsubscribe},
};

bool is_id(const Json& id) { return id.is_string() || id.is_number() || id.is_null(); }

// One call of a body, as far as it can be judged without the node.
struct Call {
  Json id;
  bool wants_answer = false;
  std::string method;
  Json params = Json::array();
  std::optional<std::size_t> query;  // which of the request's
  std::optional<RpcFailure> failure;
};

// Name and params; nothing: it is a call.
std::optional<RpcFailure> read_call(const Json& request, Call& call) {
  const auto invalid = [](std::string why) {
    return RpcFailure{RpcCode::invalid_request, std::move(why)};
  };
  if (!request.is_object()) return invalid("a call is an object");
  const auto id = request.find("id");
  if (id != request.end()) {
    if (!is_id(*id)) return invalid("an id is a text, a number or null");
    call.id = *id;
    call.wants_answer = true;
  }
  const auto version = request.find("jsonrpc");
  if (version == request.end() || *version != "2.0") return invalid("jsonrpc has to be \"2.0\"");
  const auto name = request.find("method");
  if (name == request.end() || !name->is_string()) return invalid("method has to be a text");
  const auto params = request.find("params");
  if (params != request.end() && !params->is_null()) {
    if (!params->is_structured()) return invalid("params is an array or an object");
    call.params = *params;
  }
  call.method = name->get<std::string>();
  return std::nullopt;
}

Outcome call_method(const Call& call, const RpcSource& source) {
  const std::string_view name = call.method;
  const auto plain = std::ranges::find(kMethods, name, &Method::name);
  const auto scope = std::ranges::find(kScopeMethods, name, &ScopeMethod::name);
  if (plain == kMethods.end() && scope == kScopeMethods.end()) {
    return rpc_failed(RpcCode::method_not_found, "there is no such method here");
  }
  const std::size_t most = scope == kScopeMethods.end() ? 0 : scope->most_params;
  if (call.params.size() > most) {
    return rpc_failed(RpcCode::invalid_params,
                      most == 0 ? "this method takes no params" : "these are too many params");
  }
  if (source.snapshot == nullptr) return rpc_failed(RpcCode::unavailable, "the node is starting");
  if (plain != kMethods.end()) return text_of(plain->call(*source.snapshot));
  return scope->call({*source.snapshot, source, call.params});
}

Outcome outcome_of(const Call& call, const RpcSource& source) {
  if (call.failure) return std::unexpected{*call.failure};
  if (!call.query) return call_method(call, source);
  if (*call.query >= source.answers.size()) {
    return rpc_failed(RpcCode::unavailable, "the node does not answer");
  }
  return answer_text(call.method, source.answers[*call.query]);
}

Outcome too_large() { return rpc_failed(RpcCode::answer_too_large, "the answer is too large"); }

std::string error_text(const Json& id, const RpcFailure& failure) {
  return text_of(
      Json{{"jsonrpc", "2.0"},
           {"id", id},
           {"error", {{"code", std::to_underlying(failure.code)}, {"message", failure.message}}}});
}

// The answers to the calls of one body, one after the other.
class Writer {
 public:
  Writer(const RpcSource& source, RpcCounters& counters) : source_{source}, counters_{counters} {}

  std::string batch(const std::vector<Call>& calls) {
    std::string out;
    for (const Call& call : calls) {
      const std::string answer = one(call);
      if (answer.empty()) continue;
      out += out.empty() ? "[" : ",";
      out += answer;
      size_ = out.size();
    }
    if (!out.empty()) out += "]";
    return out;
  }

  // Empty: a notification.
  std::string one(const Call& call) {
    ++counters_.calls;
    // What comes after would be made for nothing; but what was asked of the node has happened.
    const Outcome outcome = full_ && !call.query ? too_large() : outcome_of(call, source_);
    if (!outcome && (call.wants_answer || outcome.error().code == RpcCode::invalid_request)) {
      return error(call.id, outcome.error());
    }
    if (!call.wants_answer) return "";
    std::string out =
        fmt::format(R"({{"id":{},"jsonrpc":"2.0","result":{}}})", text_of(call.id), *outcome);
    const bool fits = size_ + out.size() <= kMaxRpcAnswerBytes;
    full_ = full_ || !fits;
    // As much as "true" always fits: it says what has changed.
    if (!fits && outcome->size() > kChangeBytes) return error(call.id, too_large().error());
    return out;
  }

  std::string error(const Json& id, const RpcFailure& failure) {
    ++counters_.errors;
    return error_text(id, failure);
  }

 private:
  static constexpr std::size_t kChangeBytes = 5;

  const RpcSource& source_;
  RpcCounters& counters_;
  std::size_t size_ = 0;
  bool full_ = false;  // nothing more goes into this answer
};

}  // namespace

struct RpcRequest::Parts {
  std::optional<RpcFailure> failure;  // of the whole body
  bool is_batch = false;
  std::vector<Call> calls;
  std::vector<node::Query> queries;

  // Why it is no request; nothing: it is one.
  std::optional<RpcFailure> read(std::string_view body, const ParsePeer& parse_peer) {
    bool too_deep = false;
    const Json request = Json::parse(
        body,
        [&](int depth, Json::parse_event_t, Json&) {
          too_deep = too_deep || std::cmp_greater(depth, kMaxRpcDepth);
          return !too_deep;
        },
        false);
    if (too_deep) return RpcFailure{RpcCode::invalid_request, "nested too deeply"};
    if (request.is_discarded()) return RpcFailure{RpcCode::parse_error, "this is no JSON"};
    is_batch = request.is_array();
    if (!is_batch) {
      add(request, parse_peer);
      return std::nullopt;
    }
    if (request.empty()) return RpcFailure{RpcCode::invalid_request, "an empty batch"};
    if (request.size() > kMaxRpcBatch) {
      return RpcFailure{RpcCode::invalid_request,
                        fmt::format("more than {} calls in a batch", kMaxRpcBatch)};
    }
    for (const Json& one : request) add(one, parse_peer);
    return std::nullopt;
  }

  void add(const Json& request, const ParsePeer& parse_peer) {
    Call& call = calls.emplace_back();
    call.failure = read_call(request, call);
    if (call.failure || !asks_node(call.method)) return;
    auto query = query_of(call.method, call.params, parse_peer);
    if (!query) {
      call.failure = query.error();
      return;
    }
    call.query = queries.size();
    queries.push_back(std::move(*query));
  }
};

RpcRequest::RpcRequest(std::string_view body, const ParsePeer& parse_peer)
    : parts_{std::make_unique<Parts>()} {
  parts_->failure = parts_->read(body, parse_peer);
}
RpcRequest::~RpcRequest() = default;
RpcRequest::RpcRequest(RpcRequest&&) noexcept = default;
RpcRequest& RpcRequest::operator=(RpcRequest&&) noexcept = default;

const std::vector<node::Query>& RpcRequest::queries() const { return parts_->queries; }

std::string RpcRequest::answer(const RpcSource& source, RpcCounters& counters) const {
  Writer writer{source, counters};
  if (parts_->failure) return writer.error({}, *parts_->failure);
  return parts_->is_batch ? writer.batch(parts_->calls) : writer.one(parts_->calls.front());
}

}  // namespace ethnet::observe
