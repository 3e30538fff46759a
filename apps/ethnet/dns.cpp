#include "dns.hpp"

#include <cstdio>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include <apps/common/key_file.hpp>
#include <apps/common/node_set.hpp>
#include <base/printable.hpp>
#include <codec/base64url.hpp>
#include <fmt/format.h>
#include <runtime/console.hpp>
#include <runtime/os.hpp>
#include <unistd.h>

#include "dns_sync.hpp"

namespace ethnet::app {
namespace {

constexpr int kFaulty = 2;
// Seconds that resolvers may keep a text: a root changes, an entry never does.
constexpr int kRootTtl = 1'800;
constexpr int kEntryTtl = 86'900;
constexpr std::size_t kStringBytes = 255;  // of one string of a TXT record
constexpr std::uint32_t kMaxRate = 1'000;

dns::Link link_of(const std::string& url) {
  const auto link = dns::Link::parse(url);
  if (!link) {
    throw std::runtime_error(
        fmt::format("'{}': {} (expected enrtree://KEY@DOMAIN)", url, link.error().message()));
  }
  return *link;
}

void print_folder(const TreeFolder& folder) {
  fmt::print("url         {}\nsequence    {}\nnodes       {}\nlinks       {}\n", folder.url,
             folder.seq, folder.nodes.size(), folder.links.size());
}

int sign(const DnsCommandOptions& o, bool seq_given) {
  TreeFolder folder = read_tree_folder(o.folder);
  std::string domain = o.domain;
  if (domain.empty() && !folder.url.empty()) domain = link_of(folder.url).domain();
  if (domain.empty()) {
    auto path = std::filesystem::absolute(o.folder).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    domain = path.filename().string();
  }
  const auto key = read_key(o.key_file);
  const auto link = dns::Link::make(key->public_key(), domain);
  if (!link) {
    throw std::runtime_error(fmt::format("'{}': {}", domain, link.error().message()));
  }
  if (seq_given && o.seq < folder.seq) {
    throw std::runtime_error(fmt::format(
        "the tree has number {}: nobody who saw it takes it back to {}", folder.seq, o.seq));
  }
  folder.seq = seq_given ? o.seq : folder.seq + 1;
  const dns::Root root = folder.tree().sign(folder.seq, *key);
  folder.url = link->text();
  folder.signature = base64url::encode(root.signature);
  write_tree_info(o.folder, folder, runtime::os_now().wall);
  print_folder(folder);
  return 0;
}

struct SignedTree {
  TreeFolder folder;
  dns::Link link;
  dns::Tree tree;
  dns::Root root;
};

SignedTree read_signed(const std::string& path) {
  TreeFolder folder = read_tree_folder(path);
  if (folder.url.empty() || folder.signature.empty()) {
    throw std::runtime_error(fmt::format("{}: not signed yet (see ethnet dns sign)", path));
  }
  const dns::Link link = link_of(folder.url);
  dns::Tree tree = folder.tree();
  auto root = tree.root(folder.seq, folder.signature, link.key());
  if (!root) {
    throw std::runtime_error(fmt::format(
        "{}: the signature is not of this content, number and key (see ethnet dns sign)", path));
  }
  return {std::move(folder), link, std::move(tree), *std::move(root)};
}

int verify(const std::string& path) {
  const SignedTree signed_tree = read_signed(path);
  print_folder(signed_tree.folder);
  fmt::print("entries     {}\nsignature   valid\n", signed_tree.tree.entries.size());
  return 0;
}

// A text as the strings of a TXT record in a zone file; ours need no escape.
std::string txt_strings(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    out += fmt::format("{}\"{}\"", out.empty() ? "" : " ", text.substr(0, kStringBytes));
    text.remove_prefix(std::min(kStringBytes, text.size()));
  }
  return out;
}

void print_zone(const SignedTree& tree) {
  fmt::print("$ORIGIN {}.\n", tree.link.domain());
  fmt::print("@ {} IN TXT {}\n", kRootTtl, txt_strings(tree.root.encode()));
  for (const auto& [label, text] : tree.tree.entries) {
    fmt::print("{} {} IN TXT {}\n", label, kEntryTtl, txt_strings(text));
  }
}

// An object from names to texts.
void print_texts(const SignedTree& tree) {
  const std::string& domain = tree.link.domain();
  fmt::print("{{\n    \"{}\": \"{}\"", domain, tree.root.encode());
  for (const auto& [label, text] : tree.tree.entries) {
    fmt::print(",\n    \"{}.{}\": \"{}\"", label, domain, text);
  }
  fmt::print("\n}}\n");
}

int to_zone(const DnsCommandOptions& o) {
  const SignedTree tree = read_signed(o.folder);
  o.json ? print_texts(tree) : print_zone(tree);
  return 0;
}

int sync(const DnsCommandOptions& o) {
  const dns::Link link = link_of(o.url);
  const std::string path = o.folder.empty() ? link.domain() : o.folder;
  runtime::Console console{STDERR_FILENO};
  const SyncWatcher watcher{.skipped =
                                [&](const std::string& name, const std::string& why) {
                                  console.line(fmt::format("skipped {}: {}", name, printable(why)));
                                },
                            .progress =
                                [&](std::size_t nodes, std::uint64_t questions) {
                                  console.status(fmt::format("{}: {} nodes, {} questions",
                                                             link.domain(), nodes, questions));
                                }};
  const DnsSync what{
      .link = link,
      .least_seq = known_seq(path, link),
      .server = o.server,
      .rate = o.rate,
      .patience = milliseconds(static_cast<std::int64_t>(o.timeout_seconds * 1'000))};
  const SyncedTree synced = sync_tree(what, watcher);
  console.clear_status();
  write_tree_info(path, synced.folder, runtime::os_now().wall);
  write_tree_nodes(path, synced.folder);
  print_folder(synced.folder);
  fmt::print("skipped     {}\nquestions   {}\nwrote       {}\n", synced.skipped, synced.questions,
             printable(path));
  return synced.skipped == 0 ? 0 : kFaulty;
}

void add_sync(CLI::App& dns, DnsCommandOptions& o, int& status) {
  CLI::App* command = dns.add_subcommand("sync", "Read a tree from the DNS into a folder");
  command->add_option("URL", o.url, "enrtree://KEY@DOMAIN")->required();
  command->add_option("FOLDER", o.folder, "Where it goes (default: DOMAIN)");
  command->add_option("--dns-server", o.server, "Whom to ask, instead of the system's resolver")
      ->option_text("ADDRESS:PORT");
  o.rate = dns::kQuestionsPerSecond;
  command->add_option("--rate", o.rate, "Questions a second")
      ->check(CLI::Range(std::uint32_t{1}, kMaxRate))
      ->capture_default_str();
  o.timeout_seconds = 2;
  command->add_option("--timeout", o.timeout_seconds, "Seconds until a question is asked again")
      ->check(CLI::Range(0.1, 10.0))
      ->capture_default_str();
  command->footer(
      "Links are noted, not followed. A number lower than that of the folder is refused.\n"
      "Exit status: 0 when all of the tree was read, 2 when entries were skipped.");
  command->callback([&o, &status] { status = sync(o); });
}

}  // namespace

void add_dns(CLI::App& app, DnsCommandOptions& o, int& status) {
  CLI::App* dns = app.add_subcommand("dns", "Lists of nodes in the DNS (EIP-1459)");
  dns->require_subcommand(1);
  constexpr auto kFolder = "The tree: nodes.json, and enrtree-info.json where it has one";
  CLI::App* make = dns->add_subcommand("sign", "Sign the tree of a folder under the next number");
  make->add_option("FOLDER", o.folder, kFolder)->required();
  make->add_option("--key", o.key_file, "Key file")->required();
  make->add_option("--domain", o.domain, "Where it will be (default: as before, or FOLDER)");
  CLI::Option* seq = make->add_option("--seq", o.seq, "Sequence number")->option_text("N");
  make->callback([&o, &status, seq] { status = sign(o, seq->count() > 0); });
  CLI::App* check =
      dns->add_subcommand("verify", "Check the records and the signature of a folder");
  check->add_option("FOLDER", o.folder, kFolder)->required();
  check->callback([&o, &status] { status = verify(o.folder); });
  CLI::App* zone = dns->add_subcommand("to-zone", "Print a signed tree as a zone file");
  zone->add_option("FOLDER", o.folder, kFolder)->required();
  zone->add_flag("--json", o.json, "Print JSON instead: names and their texts");
  zone->callback([&o, &status] { status = to_zone(o); });
  add_sync(*dns, o, status);
}

}  // namespace ethnet::app
