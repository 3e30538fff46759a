// Where a flag's value comes from: the command line, the environment, the file, the default, in
// this order; and what a person is told who got one of them wrong.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include <apps/common/node_config.hpp>
#include <apps/common/node_flags.hpp>
#include <apps/common/testing/refusal.hpp>
#include <chain/producer.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <session/control.hpp>
#include <unistd.h>

namespace ethnet::app {
namespace {

// An environment variable for as long as this lives.
class Variable {
 public:
  Variable(std::string name, const std::string& value) : name_{std::move(name)} {
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { ::unsetenv(name_.c_str()); }

 private:
  std::string name_;
};

class Flags : public testing::Test {
 protected:
  ~Flags() override { std::filesystem::remove(file_); }

  // All that is given, then the values.
  NodeOptions parse(std::vector<std::string> words = {}) {
    NodeOptions options;
    CLI::App app;
    NodeFlags flags{app, options};
    std::ranges::reverse(words);  // as CLI11 takes a vector
    app.parse(std::move(words));
    flags.complete();
    return options;
  }
  NodeOptions parse_with_file(const std::string& text, std::vector<std::string> words = {}) {
    std::ofstream{file_} << text;
    words.push_back("--config=" + file_);
    return parse(std::move(words));
  }
  std::string file_refusal(const std::string& text) {
    return refusal([&] { (void)parse_with_file(text); });
  }

  std::string file_ = testing::TempDir() + fmt::format("ethnet-flags-{}.toml", ::getpid());
};

struct Row {
  std::string flag;
  std::string variable;
  std::function<std::string(const NodeOptions&)> value;
  std::string preset;
  std::vector<std::string> given;  // command line, environment, file; one that can be told apart
};

template <class T>
std::function<std::string(const NodeOptions&)> member(T NodeOptions::* field) {
  return [field](const NodeOptions& o) { return fmt::format("{}", o.*field); };
}

std::string tree(const std::string& domain) {
  return "enrtree://AKA3AM6LPBYEUDMVNU3BSVQJ5AD45Y7YPOHJLEF6W26QOE4VTUDPE@" + domain;
}

std::vector<Row> rows_of_the_node() {
  using O = NodeOptions;
  const std::vector<std::string> rates{"64KiB", "1M:64k", "500000"};
  const std::vector<std::string> numbers{"11", "22", "33"};
  const std::vector<std::string> names{"a", "b", "c"};
  const auto peers = [](const O& o) { return o.peers.empty() ? "" : o.peers.back(); };
  const auto api = [](const O& o) { return o.http_api.empty() ? "" : o.http_api.back(); };
  const auto hosts = [](const O& o) { return o.http_hosts.empty() ? "" : o.http_hosts.back(); };
  return {
      {"grpc", "ETHNET_GRPC", member(&O::grpc), "true", {"false", "true", "false"}},
      {"grpc.addr", "ETHNET_GRPC_ADDR", member(&O::grpc_address), "127.0.0.1", names},
      {"grpc.port", "ETHNET_GRPC_PORT", member(&O::grpc_port), "0", numbers},
      {"http", "ETHNET_HTTP", member(&O::http), "true", {"false", "true", "false"}},
      {"http.api", "ETHNET_HTTP_API", api, "", {"admin", "eth", "net"}},
      {"http.addr", "ETHNET_HTTP_ADDR", member(&O::http_address), "127.0.0.1", names},
      {"http.port", "ETHNET_HTTP_PORT", member(&O::http_port), "0", numbers},
      {"http.vhosts", "ETHNET_HTTP_VHOSTS", hosts, "", names},
      {"ipcpath", "ETHNET_IPCPATH", member(&O::ipc_path), "", names},
      {"ipcdisable", "ETHNET_IPCDISABLE", member(&O::no_ipc), "false", {"true", "false", "true"}},
      {"datadir", "ETHNET_DATADIR", member(&O::datadir), "ethnet-data", names},
      {"genesis", "ETHNET_GENESIS", member(&O::genesis), "", names},
      {"import", "ETHNET_IMPORT", member(&O::import_file), "", names},
      {"port", "ETHNET_PORT", member(&O::port), "30303", numbers},
      {"addr", "ETHNET_ADDR", member(&O::address), "::", names},
      {"bootnodes", "ETHNET_BOOTNODES", peers, "", names},
      {"maxpeers", "ETHNET_MAXPEERS", member(&O::max_peers), "50", numbers},
      {"nodiscover",
       "ETHNET_NODISCOVER",
       member(&O::no_discovery),
       "false",
       {"true", "false", "true"}},
      {"nat", "ETHNET_NAT", member(&O::nat), "none", {"extip:192.0.2.1", "any", "extip:192.0.2.2"}},
      {"identity", "ETHNET_IDENTITY", member(&O::identity), "", names},
      {"fork-choice",
       "ETHNET_FORK_CHOICE",
       member(&O::fork_choice),
       "longest-chain",
       {"lexicographic-head", "longest-chain", "lexicographic-head"}},
      {"retention", "ETHNET_RETENTION", member(&O::retention), "0", numbers},
      {"bandwidth.up", "ETHNET_BANDWIDTH_UP", member(&O::bandwidth_up), "", rates},
      {"bandwidth.down", "ETHNET_BANDWIDTH_DOWN", member(&O::bandwidth_down), "", rates},
      {"max-upload-target",
       "ETHNET_MAX_UPLOAD_TARGET",
       member(&O::max_upload_target),
       "",
       {"5G", "2000000", "1Ti"}},
      {"memory.headers", "ETHNET_MEMORY_HEADERS", member(&O::header_memory_mib), "2048", numbers},
      {"memory.sessions",
       "ETHNET_MEMORY_SESSIONS",
       member(&O::session_memory_mib),
       "256",
       {"64", "32", "48"}},
      {"produce", "ETHNET_PRODUCE", member(&O::produce), "false", {"true", "false", "true"}},
      {"produce-forks",
       "ETHNET_PRODUCE_FORKS",
       member(&O::produce_forks),
       "false",
       {"true", "false", "true"}},
      {"period", "ETHNET_PERIOD", member(&O::period_seconds), "2", numbers},
      {"produce-for", "ETHNET_PRODUCE_FOR", member(&O::produce_for_seconds), "0", numbers},
      {"das.sample", "ETHNET_DAS_SAMPLE", member(&O::das_sample), "auto", {"off", "auto", "off"}},
  };
}

std::vector<Row> discovery_rows() {
  using O = NodeOptions;
  return {
      {"discovery.v4",
       "ETHNET_DISCOVERY_V4",
       member(&O::discovery_v4),
       "false",
       {"true", "false", "true"}},
      {"discovery.v5",
       "ETHNET_DISCOVERY_V5",
       member(&O::discovery_v5),
       "false",
       {"true", "false", "true"}},
      {"network", "ETHNET_NETWORK", member(&O::network), "", {"sepolia", "hoodi", "mainnet"}},
      {"discovery.dns",
       "ETHNET_DISCOVERY_DNS",
       [](const O& o) { return o.dns_trees.empty() ? "" : o.dns_trees.back(); },
       "",
       {tree("a.example"), tree("b.example"), tree("c.example")}},
      {"discovery.dns-server",
       "ETHNET_DISCOVERY_DNS_SERVER",
       member(&O::dns_server),
       "",
       {"127.0.0.1:53", "[::1]:53", "192.0.2.1:5353"}},
      {"netrestrict",
       "ETHNET_NETRESTRICT",
       [](const O& o) { return o.netrestrict.empty() ? "" : o.netrestrict.back(); },
       "",
       {"10.0.0.0/8", "fd00::/8", "127.0.0.1/32"}},
      {"discovery.port",
       "ETHNET_DISCOVERY_PORT",
       member(&O::discovery_port),
       "0",
       {"11", "22", "33"}},
  };
}

std::vector<Row> logging_rows() {
  using O = NodeOptions;
  return {
      {"log.format",
       "ETHNET_LOG_FORMAT",
       member(&O::log_format),
       "terminal",
       {"json", "terminal", "json"}},
      {"log.output",
       "ETHNET_LOG_OUTPUT",
       member(&O::log_output),
       "stderr",
       {"stdout", "stderr", "stdout"}},
      {"verbosity", "ETHNET_VERBOSITY", member(&O::verbosity), "3", {"1", "2", "4"}},
  };
}

std::vector<Row> rows() {
  std::vector<Row> all = rows_of_the_node();
  std::ranges::move(discovery_rows(), std::back_inserter(all));
  std::ranges::move(logging_rows(), std::back_inserter(all));
  return all;
}

TEST_F(Flags, TheCommandLineWinsOverTheEnvironmentThatOverTheFileAndThatOverTheDefault) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.flag);
    const bool is_number = row.given[2].find_first_not_of("0123456789") == std::string::npos;
    const std::string quote =
        is_number || row.preset == "false" || row.preset == "true" ? "" : "\"";
    const std::string in_file = row.flag + " = " + quote + row.given[2] + quote + "\n";
    const std::vector<std::string> word{fmt::format("--{}={}", row.flag, row.given[0])};
    EXPECT_EQ(row.value(parse()), row.preset);
    EXPECT_EQ(row.value(parse_with_file(in_file)), row.given[2]);
    const Variable variable{row.variable, row.given[1]};
    EXPECT_EQ(row.value(parse()), row.given[1]);
    EXPECT_EQ(row.value(parse_with_file(in_file)), row.given[1]);
    EXPECT_EQ(row.value(parse_with_file(in_file, word)), row.given[0]);
  }
}

// A new flag gets its row above; --help and --config are no keys of the file.
TEST_F(Flags, EveryFlagIsInTheTableAndInAGroupOfTheHelp) {
  NodeOptions options;
  CLI::App app;
  const NodeFlags flags{app, options};
  std::size_t found = 0;
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_lnames().front();
    EXPECT_NE(option->get_group(), "") << name;
    EXPECT_NE(option->get_description(), "") << name;
    if (name == "help" || name == "config") continue;
    ++found;
    EXPECT_TRUE(std::ranges::any_of(rows(), [&](const Row& r) { return r.flag == name; })) << name;
  }
  EXPECT_EQ(found, rows().size());
}

TEST_F(Flags, TheHelpFitsATerminalAndNamesEveryFlagAndGroup) {
  NodeOptions options;
  CLI::App app;
  const NodeFlags flags{app, options};
  const std::string help = app.help();
  for (const Row& row : rows()) EXPECT_NE(help.find("--" + row.flag), std::string::npos) << help;
  for (const std::string group : {"Files", "Network", "Chain", "Producer", "Watching", "Logging"}) {
    EXPECT_NE(help.find("\n" + group + ":\n"), std::string::npos) << help;
  }
  std::istringstream lines{help};
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

TEST_F(Flags, ListsAndTablesOfTheFileAreFlags) {
  const NodeOptions options = parse_with_file(
      "bootnodes = [\"a:1\", \"b:2\"]\n[log]\nformat = \"json\"\n[memory]\nheaders = 7\n");
  EXPECT_EQ(options.peers, (std::vector<std::string>{"a:1", "b:2"}));
  EXPECT_EQ(options.log_format, "json");
  EXPECT_EQ(options.header_memory_mib, 7U);
  const Variable variable{"ETHNET_BOOTNODES", "c:3,d:4"};
  EXPECT_EQ(parse().peers, (std::vector<std::string>{"c:3", "d:4"}));
}

TEST_F(Flags, AnIdentityStandsInTheClientNameAndIsNoMarkup) {
  const auto client_of = [](const std::string& identity) {
    NodeOptions options;
    options.identity = identity;
    return make_config(options, chain::dev_genesis()).client;
  };
  EXPECT_EQ(client_of("").substr(0, 12), "MiniEthNet/v");
  const std::string longest(kMaxIdentityBytes, 'n');
  for (const std::string& sane : {std::string{"Alice-1_b.c+d"}, longest}) {
    EXPECT_EQ(parse({"--identity=" + sane}).identity, sane);
    EXPECT_EQ(client_of(sane).substr(0, 13 + sane.size()), "MiniEthNet/" + sane + "/v");
    EXPECT_LE(client_of(sane).size(), session::kMaxClientBytes);
  }
  for (const std::string& bad :
       {longest + "n", std::string{"<b>x</b>"}, std::string{"a/b"}, std::string{"a b"},
        std::string{"a\x1b"}, std::string{"\xc3\xa9"}, std::string{"\"quoted\""}}) {
    EXPECT_EQ(refusal([&] { (void)parse({"--identity=" + bad}); }),
              "--identity: expected 1 to 32 letters, digits and any of -_.+");
  }
}

TEST_F(Flags, TheEnvironmentMayNameTheFileAndEmptyIsNotSet) {
  std::ofstream{file_} << "port = 5\n";
  const Variable config{"ETHNET_CONFIG", file_};
  const Variable port{"ETHNET_PORT", ""};
  EXPECT_EQ(parse().port, 5);
}

TEST_F(Flags, AnErrorOfTheFileNamesFileLineAndKey) {
  EXPECT_EQ(file_refusal("\nportt = 1\n"), file_ + ":2: no flag 'portt'");
  EXPECT_EQ(file_refusal("config = \"x\"\n"), file_ + ":1: no flag 'config'");
  EXPECT_EQ(file_refusal("memory = 5\n"), file_ + ":1: no flag 'memory'");
  EXPECT_EQ(file_refusal("period = 1.5\n"),
            file_ + ":1: 'period' is no text, whole number, true or false");
  for (const std::string key :
       {"port = 70000", "port = \"banana\"", "port = [1, 2]", "maxpeers = 0", "produce = \"maybe\"",
        "memory.sessions = 15", "memory.sessions = 1048577", "log.format = \"xml\"",
        "log.output = \"file\"", "fork-choice = \"none\"", "verbosity = 9", "port = []",
        "identity = \"\"", "identity = \"<b>\""}) {
    const std::string why = file_refusal("# a comment\n" + key + "\n");
    EXPECT_TRUE(why.starts_with(file_ + ":2: ")) << why;
    EXPECT_NE(why.find(key.substr(0, key.find(' '))), std::string::npos) << why;
    EXPECT_EQ(why.find('\n'), std::string::npos) << why;
  }
  EXPECT_TRUE(file_refusal("port = \n").starts_with(file_ + ":1: ")) << file_refusal("port = \n");
  EXPECT_TRUE(file_refusal("port = 1\nport = 2\n").starts_with(file_ + ":2: "));
  const std::string missing = testing::TempDir() + "ethnet-no-such.toml";
  EXPECT_EQ(refusal([&] { (void)parse({"--config=" + missing}); }),
            "cannot read " + missing + ": No such file or directory");
}

TEST_F(Flags, AFileThatIsTooLargeOrNestsTooDeeplyIsRefused) {
  EXPECT_EQ(file_refusal(std::string(kMaxConfigBytes, '\n') + "\n"),
            file_ + ": more than 262144 bytes are no configuration");
  std::string deep = "a";
  for (std::size_t i = 0; i < kMaxDotsInALine; ++i) deep += ".a";
  EXPECT_TRUE(file_refusal("\n[" + deep + "]\n" + deep + " = 1\n")
                  .starts_with(file_ + ":3: no flag 'a.a.a."));
  EXPECT_EQ(file_refusal("\n" + deep + ".a = 1\n"), file_ + ":2: too many dots in a line");
}

TEST_F(Flags, AnErrorOfTheEnvironmentNamesTheVariable) {
  const Variable variable{"ETHNET_PORT", "banana"};
  const std::string why = refusal([&] { (void)parse(); });
  EXPECT_TRUE(why.starts_with("ETHNET_PORT: ")) << why;
  EXPECT_NE(why.find("banana"), std::string::npos) << why;
  EXPECT_EQ(parse({"--port=1"}).port, 1) << "a variable that is not needed is not looked at";
}

}  // namespace
}  // namespace ethnet::app
