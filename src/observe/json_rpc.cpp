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

// The first five are the specification's, the rest go-ethereum's.
enum class Code : std::int32_t {
  parse_error = -32700,
  invalid_request = -32600,
  method_not_found = -32601,
  invalid_params = -32602,
  not_ready = -32000,
  answer_too_large = -32003,
  limit_exceeded = -32005,
};
struct Failure {
  Code code;
  std::string message;
};
using Outcome = std::expected<std::string, Failure>;  // JSON

std::unexpected<Failure> failed(Code code, std::string message) {
  return std::unexpected{Failure{code, std::move(message)}};
}

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
              {"ports", {{"discovery", s.listen.port}, {"listener", s.listen.port}}},
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
    Method{"eth_blockNumber", [](const NodeSnapshot& s) { return Json(quantity(s.head_number)); }},
    Method{"eth_syncing", syncing},
    Method{"admin_nodeInfo", node_info},
    Method{"admin_peers", peers},
};

// One call, for methods that ask more than the snapshot.
struct Question {
  const NodeSnapshot& snapshot;
  const RpcSource& source;
  const Json& params;  // an array or an object, maybe empty
};
struct ScopeMethod {
  std::string_view name;
  std::size_t most_params;
  Outcome (*call)(const Question&);
};

Outcome reorgs(const Question& q) {
  std::uint64_t limit = 0;
  if (!q.params.empty()) {
    const Json& wanted = q.params.front();
    if (!q.params.is_array() || !wanted.is_number_unsigned() || wanted > kMaxReorgsAsked) {
      return failed(Code::invalid_params,
                    fmt::format("params: [limit], a number of at most {}", kMaxReorgsAsked));
    }
    limit = wanted.get<std::uint64_t>();
  }
  return reorgs_json(q.source.log.reorgs(limit == 0 ? kDefaultReorgs : limit, kMaxRpcReorgBytes));
}

// The cursor of `{"after": CURSOR}`.
std::expected<std::uint64_t, Failure> after_of(const Json& options) {
  const auto after = options.find("after");
  if (!options.is_object() || options.size() != 1 || after == options.end() ||
      !after->is_number_unsigned()) {
    return failed(Code::invalid_params, "options of events: {\"after\": CURSOR}");
  }
  return after->get<std::uint64_t>();
}

Outcome subscribe(const Question& q) {
  Subscriptions* const subscriptions = q.source.subscriptions;
  if (subscriptions == nullptr) {
    return failed(Code::method_not_found, "subscriptions are for a WebSocket");
  }
  static constexpr std::array<std::pair<std::string_view, Topic>, 3> kTopics{
      {{"newHeads", Topic::heads}, {"reorgs", Topic::reorgs}, {"events", Topic::events}}};
  const bool named = q.params.is_array() && !q.params.empty() && q.params.front().is_string();
  const std::string name = named ? q.params.front().get<std::string>() : std::string{};
  const auto* const topic =
      std::ranges::find(kTopics, name, &std::pair<std::string_view, Topic>::first);
  if (topic == kTopics.end()) {
    return failed(Code::invalid_params, "there are newHeads, reorgs and events to subscribe to");
  }
  std::optional<std::uint64_t> after;
  if (q.params.size() > 1) {
    if (topic->second != Topic::events) {
      return failed(Code::invalid_params, "this subscription has no options");
    }
    const auto cursor = after_of(q.params[1]);
    if (!cursor) return std::unexpected{cursor.error()};
    after = *cursor;
  }
  const auto id = subscriptions->add(topic->second, after);
  if (!id) {
    return failed(Code::limit_exceeded,
                  fmt::format("a connection has at most {} subscriptions", kMaxSubscriptions));
  }
  return fmt::format("\"{}\"", *id);
}

Outcome unsubscribe(const Question& q) {
  if (q.source.subscriptions == nullptr) {
    return failed(Code::method_not_found, "subscriptions are for a WebSocket");
  }
  if (!q.params.is_array() || q.params.empty() || !q.params.front().is_string()) {
    return failed(Code::invalid_params, "params: [subscription]");
  }
  const bool removed = q.source.subscriptions->remove(q.params.front().get<std::string>());
  return removed ? "true" : "false";
}

constexpr std::array kScopeMethods{
    ScopeMethod{"ethscope_summary", 0,
                [](const Question& q) -> Outcome {
                  return summary_json(q.snapshot, q.source.log.newest());
                }},
    ScopeMethod{"ethscope_peers", 0,
                [](const Question& q) -> Outcome { return peers_json(q.snapshot); }},
    ScopeMethod{"ethscope_reorgs", 1, reorgs},
    ScopeMethod{"ethscope_forkTree", 0,
                [](const Question& q) -> Outcome { return fork_tree_json(q.snapshot); }},
    ScopeMethod{"ethscope_dataSets", 0,
                [](const Question& q) -> Outcome { return data_sets_json(q.snapshot); }},
    ScopeMethod{"ethscope_counters", 0,
                [](const Question& q) -> Outcome { return counters_json(q.snapshot); }},
    ScopeMethod{"eth_subscribe", 2, subscribe},
    ScopeMethod{"eth_unsubscribe", 1, unsubscribe},
};

bool is_id(const Json& id) { return id.is_string() || id.is_number() || id.is_null(); }

// One request body.
class Rpc {
 public:
  Rpc(const RpcSource& source, RpcCounters& counters) : source_{source}, counters_{counters} {}

  std::string answer(std::string_view body) {
    bool too_deep = false;
    const Json request = Json::parse(
        body,
        [&](int depth, Json::parse_event_t, Json&) {
          too_deep = too_deep || std::cmp_greater(depth, kMaxRpcDepth);
          return !too_deep;
        },
        false);
    if (too_deep) return error({}, {Code::invalid_request, "nested too deeply"});
    if (request.is_discarded()) return error({}, {Code::parse_error, "this is no JSON"});
    if (!request.is_array()) return one(request);
    if (request.empty()) return error({}, {Code::invalid_request, "an empty batch"});
    if (request.size() > kMaxRpcBatch) {
      return error(
          {}, {Code::invalid_request, fmt::format("more than {} calls in a batch", kMaxRpcBatch)});
    }
    return batch(request);
  }

 private:
  std::string batch(const Json& requests) {
    std::string out;
    for (const Json& request : requests) {
      const std::string answer = one(request);
      if (answer.empty()) continue;
      out += out.empty() ? "[" : ",";
      out += answer;
      size_ = out.size();
    }
    if (!out.empty()) out += "]";
    return out;
  }

  // Empty: a notification.
  std::string one(const Json& request) {
    ++counters_.calls;
    if (!request.is_object()) return error({}, {Code::invalid_request, "a call is an object"});
    const auto id = request.find("id");
    const bool wants_answer = id != request.end();
    if (wants_answer && !is_id(*id)) {
      return error({}, {Code::invalid_request, "an id is a text, a number or null"});
    }
    // What comes after would be made for nothing.
    const Outcome outcome = full_ ? too_large() : call(request);
    if (!outcome && (wants_answer || outcome.error().code == Code::invalid_request)) {
      return error(wants_answer ? *id : Json{}, outcome.error());
    }
    if (!wants_answer) return "";
    std::string out =
        fmt::format(R"({{"id":{},"jsonrpc":"2.0","result":{}}})", text_of(*id), *outcome);
    full_ = size_ + out.size() > kMaxRpcAnswerBytes;
    if (full_) return error(*id, too_large().error());
    return out;
  }

  static Outcome too_large() { return failed(Code::answer_too_large, "the answer is too large"); }

  [[nodiscard]] Outcome call(const Json& request) const {
    const auto version = request.find("jsonrpc");
    if (version == request.end() || *version != "2.0") {
      return failed(Code::invalid_request, "jsonrpc has to be \"2.0\"");
    }
    const auto name = request.find("method");
    if (name == request.end() || !name->is_string()) {
      return failed(Code::invalid_request, "method has to be a text");
    }
    const auto params = request.find("params");
    const bool given = params != request.end() && !params->is_null();
    if (given && !params->is_structured()) {
      return failed(Code::invalid_request, "params is an array or an object");
    }
    static const Json kNone = Json::array();
    return call(name->get_ref<const std::string&>(), given ? *params : kNone);
  }

  [[nodiscard]] Outcome call(std::string_view name, const Json& params) const {
    const auto plain = std::ranges::find(kMethods, name, &Method::name);
    const auto scope = std::ranges::find(kScopeMethods, name, &ScopeMethod::name);
    if (plain == kMethods.end() && scope == kScopeMethods.end()) {
      return failed(Code::method_not_found, "there is no such method here");
    }
    const std::size_t most = scope == kScopeMethods.end() ? 0 : scope->most_params;
    if (params.size() > most) {
      return failed(Code::invalid_params,
                    most == 0 ? "this method takes no params" : "these are too many params");
    }
    if (source_.snapshot == nullptr) return failed(Code::not_ready, "the node is starting");
    if (plain != kMethods.end()) return text_of(plain->call(*source_.snapshot));
    return scope->call({*source_.snapshot, source_, params});
  }

  std::string error(const Json& id, const Failure& failure) {
    ++counters_.errors;
    return text_of(Json{
        {"jsonrpc", "2.0"},
        {"id", id},
        {"error", {{"code", std::to_underlying(failure.code)}, {"message", failure.message}}}});
  }

  const RpcSource& source_;
  RpcCounters& counters_;
  std::size_t size_ = 0;
  bool full_ = false;  // nothing more goes into this answer
};

}  // namespace

std::string answer_rpc(std::string_view body, const RpcSource& source, RpcCounters& counters) {
  return Rpc{source, counters}.answer(body);
}

}  // namespace ethnet::observe
