#include "doctor.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <vector>

#include <apps/common/diagnosis.hpp>
#include <base/instant.hpp>
#include <base/printable.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <observe/scope_client.hpp>

namespace ethnet::app {
namespace {

using Json = nlohmann::json;

constexpr int kUnwell = 2;
constexpr Duration kPatience = seconds(10);

std::string_view mark_of(Finding finding) {
  switch (finding) {
    case Finding::good:
      return "ok";
    case Finding::note:
      return "note";
    case Finding::bad:
      return "BAD";
  }
  return "";
}

int doctor(const DoctorOptions& o) {
  observe::ScopeClient client{o.node, kPatience};
  const std::vector<Check> checks = examine(client.summary(), client.peers(), client.refusals());
  Json json = Json::array();
  for (const Check& check : checks) {
    if (o.json) {
      json.push_back({{"check", check.name},
                      {"finding", mark_of(check.finding)},
                      {"what", check.what},
                      {"advice", check.advice}});
      continue;
    }
    std::puts(
        printable(fmt::format("{:<4}  {:<11}  {}", mark_of(check.finding), check.name, check.what))
            .c_str());
    if (!check.advice.empty()) {
      std::puts(printable(fmt::format("{:17}  -> {}", "", check.advice)).c_str());
    }
  }
  if (o.json) std::puts(json.dump().c_str());
  const bool bad =
      std::ranges::any_of(checks, [](const Check& check) { return check.finding == Finding::bad; });
  return bad ? kUnwell : 0;
}

}  // namespace

void add_doctor(CLI::App& app, DoctorOptions& o, int& status) {
  CLI::App* command =
      app.add_subcommand("doctor", "What is wrong with a running node, and the cure");
  command
      ->add_option("--node", o.node,
                   fmt::format("Where its gRPC is, port + 1000 (default {})", o.node))
      ->option_text("HOST:PORT");
  command->add_flag("--json", o.json, "Print JSON, one line");
  command->footer("Exit status: 0 when nothing is bad, 2 when something is.");
  command->callback([&o, &status] { status = doctor(o); });
}

}  // namespace ethnet::app
