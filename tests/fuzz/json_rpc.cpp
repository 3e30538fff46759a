// A body of JSON-RPC: whatever it is, the answer is nothing, or one JSON value of a bounded size
// in which each answer has an id and a result or an error.
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <observe/event_log.hpp>
#include <observe/json_rpc.hpp>
#include <observe/subscriptions.hpp>
#include <types/header.hpp>

#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

using Json = nlohmann::json;

// What follows when the last answer that fits is exactly as large as may be.
constexpr std::size_t kMaxOverhead = 64 * 1024;

const node::NodeSnapshot& snapshot() {
  static const node::NodeSnapshot made = [] {
    node::NodeSnapshot out;
    out.client = "\xff\"<b>\n";
    out.listen = {IpAddress::loopback_v4(), 30303};
    for (std::uint16_t port = 1; port <= 50; ++port) {
      node::PeerView peer;
      peer.remote = {IpAddress::loopback_v4(), port};
      peer.client = std::string(200, '\x80');
      peer.capabilities = {"mini-sync/0.1"};
      out.peers.push_back(peer);
    }
    return out;
  }();
  return made;
}

node::StaticPeer parse_peer(const std::string& text) {
  if (text.size() < 4) throw std::runtime_error("'" + text + "': this is no peer");
  return {};
}

// A node that has a block for every second query.
std::vector<node::Answer> answers_to(const std::vector<node::Query>& queries) {
  static const node::BlockAnswer block{Header{}.hash(), Header{}.encode()};
  std::vector<node::Answer> out;
  for (const node::Query& query : queries) {
    if (std::holds_alternative<node::PeerQuery>(query)) {
      out.emplace_back(node::PeerAnswer{out.size() % 2 == 0});
    } else if (out.size() % 2 == 0) {
      out.emplace_back(block);
    } else {
      out.emplace_back(node::NoSuchBlock{});
    }
  }
  return out;
}

void check_one(const Json& answer) {
  CHECK(answer.is_object() && answer.value("jsonrpc", "") == "2.0");
  CHECK(answer.contains("id") && !answer.at("id").is_structured());
  CHECK(answer.contains("result") != answer.contains("error"));
  if (!answer.contains("error")) return;
  CHECK(answer.at("error").at("code").is_number_integer());
  CHECK(!answer.at("error").at("message").get<std::string>().empty());
}

}  // namespace

void run_json_rpc(ByteView input) {
  std::string body;
  for (const std::byte b : input) body.push_back(static_cast<char>(b));
  observe::RpcCounters counters;
  observe::EventLog log;
  const observe::HeadFeed heads{log};
  observe::SubscriptionCounters told;
  observe::Subscriptions subscriptions{log, heads, told};
  const observe::RpcRequest request{body, parse_peer};
  CHECK(request.queries().size() <= observe::kMaxRpcBatch);
  const std::vector<node::Answer> answers = answers_to(request.queries());
  const std::string text = request.answer({&snapshot(), log, &subscriptions, answers}, counters);
  CHECK(told.open <= observe::kMaxSubscriptions);
  CHECK(text.size() <= observe::kMaxRpcAnswerBytes + kMaxOverhead);
  CHECK(counters.calls <= observe::kMaxRpcBatch);
  if (text.empty()) return;
  const Json answer = Json::parse(text, nullptr, false);
  CHECK(!answer.is_discarded());
  if (!answer.is_array()) return check_one(answer);
  CHECK(!answer.empty() && answer.size() <= observe::kMaxRpcBatch);
  for (const Json& one : answer) check_one(one);
}

}  // namespace ethnet::fuzz
