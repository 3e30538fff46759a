#include "scope_json.hpp"

#include <ethscope.pb.h>
#include <nlohmann/json.hpp>

#include "message_json.hpp"
#include "scope_messages.hpp"

namespace ethnet::observe {
namespace {

template <class Message, class... From>
std::string text_as(const From&... from) {
  Message message;
  to_message(from..., message);
  return json_text(message);
}

}  // namespace

std::string summary_json(const node::NodeSnapshot& snapshot, std::uint64_t cursor) {
  return text_as<ethscope::Summary>(snapshot, cursor);
}

std::string peers_json(const node::NodeSnapshot& snapshot) {
  return text_as<ethscope::ListPeersResponse>(snapshot);
}

std::string fork_tree_json(const node::NodeSnapshot& snapshot) {
  return text_as<ethscope::ForkTree>(snapshot, UINT64_MAX);
}

std::string data_sets_json(const node::NodeSnapshot& snapshot) {
  return text_as<ethscope::ListDataSetsResponse>(snapshot);
}

std::string refusals_json(const node::NodeSnapshot& snapshot) {
  return text_as<ethscope::ListRefusalsResponse>(snapshot);
}

std::string reorgs_json(const EventLog::Reorgs& reorgs) {
  return text_as<ethscope::GetReorgsResponse>(reorgs);
}

std::string event_json(const LoggedEvent& event) { return text_as<ethscope::Event>(event); }

std::string gap_json(const EventLog::Next& next) {
  ethscope::Event message;
  to_gap(next, message);
  return json_text(message);
}

std::string counters_json(const node::NodeSnapshot& snapshot) {
  nlohmann::json out = nlohmann::json::object();
  for (const node::Counter& counter : snapshot.counters) {
    if (counter.value != 0) out[counter.name] = counter.value;
  }
  return out.dump();
}

}  // namespace ethnet::observe
