#include "control.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <stdexcept>

#include <apps/common/files.hpp>
#include <apps/common/output_file.hpp>
#include <apps/common/progress_line.hpp>
#include <base/printable.hpp>
#include <control/control_client.hpp>
#include <das/dataset.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <protocol/das_lite/limits.hpp>

namespace ethnet::app {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr int kNotAll = 2;  // the verdict is that chunks are missing, or a block is not canonical

void say(const std::string& line) {
  std::puts(printable(line).c_str());
  std::fflush(stdout);
}

void print(const Json& json) { say(json.dump()); }

control::ControlClient client_of(const ControlOptions& o) {
  return control::ControlClient{o.ipc_path.empty() ? (fs::path{o.datadir} / "ethnet.ipc").string()
                                                   : o.ipc_path};
}

Hash32 parse_hash(const std::string& what, const std::string& text) {
  const auto hash = parse_bytes32<Hash32Tag>(text);
  if (!hash) throw std::runtime_error(fmt::format("{} '{}': {}", what, text, hash.error().what()));
  return *hash;
}

int publish(const ControlOptions& o) {
  std::error_code error;
  if (fs::file_size(o.file, error) > das::kMaxDataBytes && !error) {
    throw std::runtime_error(
        fmt::format("{}: more than {} bytes are no data set", o.file, das::kMaxDataBytes));
  }
  const Bytes data = read_binary_file(o.file);
  const control::Published done = client_of(o).publish(data, o.chunk_size);
  if (o.json) {
    print(Json{{"data_id", done.data_id.hex()},
               {"total_chunks", done.total_chunks},
               {"chunk_size", done.chunk_size},
               {"total_bytes", done.total_bytes}});
  } else {
    say(fmt::format("data id  {}", done.data_id.hex()));
    say(fmt::format("chunks   {} of {} bytes, {} bytes in all", done.total_chunks, done.chunk_size,
                    done.total_bytes));
  }
  return 0;
}

int sample(const ControlOptions& o) {
  const Hash32 id = parse_hash("data id", o.data_id);
  runtime::Console console{STDERR_FILENO};
  ProgressLine progress{console, !o.json, "chunks"};
  const control::Sampled verdict =
      client_of(o).sample(id, o.samples, [&](const control::Sampled& s) {
        if (!s.done) progress.show("sample", s.received, s.requested, false);
      });
  console.clear_status();
  if (o.json) {
    print(Json{{"requested", verdict.requested},
               {"received", verdict.received},
               {"confidence", verdict.confidence ? Json(*verdict.confidence) : Json()},
               {"fooled_probability", verdict.fooled_probability}});
  } else {
    say(fmt::format("received={} requested={} confidence={}", verdict.received, verdict.requested,
                    verdict.confidence ? fmt::format("{:.3f}", *verdict.confidence) : "unknown"));
    say(fmt::format("such a result is seen with probability {:.3g} though the data cannot be had",
                    verdict.fooled_probability));
  }
  return verdict.received == verdict.requested ? 0 : kNotAll;
}

int get(const ControlOptions& o) {
  const Hash32 id = parse_hash("data id", o.data_id);
  const OutputFile file{"--output", o.output};
  file.check();
  Bytes data;
  runtime::Console console{STDERR_FILENO};
  ProgressLine progress{console, !o.json, "chunks"};
  client_of(o).get(
      id,
      [&](std::uint32_t received, std::uint32_t total) {
        progress.show("get", received, total, received == total);
      },
      [&](ByteView bytes) {
        if (bytes.size() > das::kMaxDataBytes - data.size()) {
          throw std::runtime_error(fmt::format("the node sent more than the {} bytes of a data set",
                                               das::kMaxDataBytes));
        }
        data.insert(data.end(), bytes.begin(), bytes.end());
      });
  file.write(ByteView{data});
  if (file.is_standard_output()) return 0;  // the data alone
  if (o.json) {
    print(Json{{"file", o.output}, {"total_bytes", data.size()}});
  } else {
    say(fmt::format("{}: {} bytes", o.output, data.size()));
  }
  return 0;
}

int peer(const ControlOptions& o, bool add) {
  control::ControlClient client = client_of(o);
  const bool changed = add ? client.add_peer(o.peer) : client.remove_peer(o.peer);
  if (o.json) {
    print(Json{{add ? "added" : "removed", changed}});
  } else if (add) {
    say(changed ? "it is dialled from now on" : "it is dialled already");
  } else {
    say(changed ? "its session ends, and it is dialled no more" : "there is no such peer");
  }
  return changed || add ? 0 : 1;
}

std::string text_of(const control::Explanation::Head& head) {
  return fmt::format("{:>9}  {}  {}", head.number, head.hash.hex(), head.why);
}

Json json_of(const control::Explanation::Head& head) {
  return Json{
      {"hash", head.hash.hex()}, {"number", head.number}, {"score", head.score}, {"why", head.why}};
}

Json json_of(const control::Explanation& e) {
  constexpr std::array kNames{"unknown", "canonical", "side"};
  Json out{{"standing", kNames.at(static_cast<std::size_t>(e.standing))},
           {"rule", e.rule},
           {"head", json_of(e.head)}};
  if (e.standing == control::Explanation::Standing::unknown) return out;
  out["number"] = e.number;
  out["parent"] = e.parent.hex();
  out["rivals"] = Json::array();
  for (const auto& head : e.rivals) out["rivals"].push_back(json_of(head));
  out["cut"] = e.cut;
  if (e.fork_point) {
    out["fork_point"] = Json{{"hash", e.fork_point->hex()}, {"number", e.fork_point_number}};
  }
  return out;
}

void show(const control::Explanation& e, const Hash32& block) {
  using Standing = control::Explanation::Standing;
  if (e.standing == Standing::unknown) {
    say(fmt::format("{} is not known here: never seen, refused, or not kept any more",
                    block.hex()));
    return;
  }
  const bool canonical = e.standing == Standing::canonical;
  say(fmt::format("{} at height {} is {}canonical", block.hex(), e.number,
                  canonical ? "" : "not "));
  if (e.fork_point) {
    say(fmt::format("its branch leaves the canonical chain at height {}, {}", e.fork_point_number,
                    e.fork_point->hex()));
  }
  say(fmt::format("the rule {} chose the head", e.rule));
  say("*" + text_of(e.head));
  if (e.rivals.empty()) {
    say(canonical ? "and no other branch leads past this block"
                  : "and no head is above this block");
    return;
  }
  say(canonical ? "over these, which do not descend from it" : "over these, which descend from it");
  if (e.cut) say("          …");
  for (const auto& head : e.rivals) say(" " + text_of(head));
}

int lab_why(const ControlOptions& o) {
  const Hash32 block = parse_hash("block", o.block);
  const control::Explanation answer = client_of(o).explain(block);
  if (o.json) {
    print(json_of(answer));
  } else {
    show(answer, block);
  }
  return answer.standing == control::Explanation::Standing::canonical ? 0 : kNotAll;
}

// What each command of a running node has.
CLI::App* add_command(CLI::App& parent, ControlOptions& o, int& status, const std::string& name,
                      const std::string& help, const std::function<int()>& run) {
  CLI::App* command = parent.add_subcommand(name, help);
  command
      ->add_option("--datadir", o.datadir,
                   fmt::format("The node's data directory, where its socket is (default {};\n"
                               "of EthNetLite 9001: EthNetLite-9001.data)",
                               o.datadir))
      ->option_text("DIR");
  command->add_option("--ipcpath", o.ipc_path, "The socket itself, where the node was told one")
      ->option_text("FILE");
  command->add_flag("--json", o.json, "Print JSON, one line");
  command->callback([run, &status] { status = run(); });
  return command;
}

void add_das(CLI::App& app, ControlOptions& o, int& status) {
  CLI::App* das = app.add_subcommand("das", "Data sets of a running node");
  das->require_subcommand(1);
  CLI::App* command = add_command(*das, o, status, "publish", "Cut a file into chunks, announce it",
                                  [&o] { return publish(o); });
  command->add_option("FILE", o.file, "At most 32 MiB")->required();
  command->add_option("--chunk-size", o.chunk_size, "Bytes of a chunk (default: by size)")
      ->option_text("N")
      ->check(CLI::Range(std::uint32_t{1}, das::kMaxChunkBytes));

  command = add_command(*das, o, status, "sample", "Ask for chunks drawn at random",
                        [&o] { return sample(o); });
  command->add_option("DATA_ID", o.data_id, "0x…")->required();
  command->add_option("--k", o.samples, fmt::format("How many chunks (default {})", o.samples))
      ->option_text("N")
      ->check(CLI::Range(std::uint32_t{1}, das_lite::kMaxSamples));
  command->footer("Exit status: 0 when every chunk came, 2 when not.");

  command = add_command(*das, o, status, "get", "Fetch all of it", [&o] { return get(o); });
  command->add_option("DATA_ID", o.data_id, "0x…")->required();
  command->add_option("-o,--output", o.output, "File to write; - is standard output")
      ->option_text("FILE")
      ->check(refuse_no_file)
      ->required();
}

}  // namespace

void add_control(CLI::App& app, ControlOptions& o, int& status) {
  add_das(app, o, status);
  CLI::App* peers = app.add_subcommand("peer", "Whom a running node dials");
  peers->require_subcommand(1);
  for (const bool add : {true, false}) {
    add_command(*peers, o, status, add ? "add" : "remove",
                add ? "Dial a peer, and dial it again" : "End its session, and dial it no more",
                [&o, add] { return peer(o, add); })
        ->add_option("PEER", o.peer, "enr:…, enode://… or HOST:PORT")
        ->required();
  }
  add_command(app, o, status, "stop", "Stop a running node", [&o] {
    client_of(o).stop();
    return 0;
  });
}

void add_lab_why(CLI::App& lab, ControlOptions& o, int& status) {
  CLI::App* command = add_command(lab, o, status, "why", "Why a block is canonical or not",
                                  [&o] { return lab_why(o); });
  command->add_option("HASH", o.block, "Of the block, 0x…")->required();
  command->footer("Asks a running node. Exit status: 0 when it is canonical, 2 when not.");
}

}  // namespace ethnet::app
