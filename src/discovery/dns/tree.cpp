#include "tree.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include <base/decimal.hpp>
#include <codec/base32.hpp>
#include <codec/base64url.hpp>
#include <crypto/keccak.hpp>
#include <fmt/format.h>

namespace ethnet::dns {
namespace {

constexpr std::string_view kRootPrefix = "enrtree-root:v1";
constexpr std::string_view kBranchPrefix = "enrtree-branch:";
constexpr std::string_view kLinkPrefix = "enrtree://";
constexpr std::string_view kRecordPrefix = "enr:";

std::string root_content(const HashLabel& records, const HashLabel& links, std::uint64_t seq) {
  return fmt::format("{} e={} l={} seq={}", kRootPrefix, records.text(), links.text(), seq);
}

// Walks a root's text field by field.
class Fields {
 public:
  Fields(std::string_view text, std::size_t begin) : text_{text}, at_{begin} {}
  [[nodiscard]] std::size_t at() const { return at_; }
  // What follows " KEY=" up to the next blank or the end.
  [[nodiscard]] Result<std::string_view> value(std::string_view key) {
    if (!text_.substr(at_).starts_with(key)) return fail(DnsError::root_syntax, at_);
    at_ += key.size();
    const std::size_t begin = at_;
    at_ = std::min(text_.find(' ', begin), text_.size());
    if (at_ == begin) return fail(DnsError::root_syntax, at_);
    value_at_ = begin;
    return text_.substr(begin, at_ - begin);
  }
  [[nodiscard]] std::size_t value_at() const { return value_at_; }

 private:
  std::string_view text_;
  std::size_t at_;
  std::size_t value_at_ = 0;
};

// The index of the first character that no name of a host has; npos: none.
std::size_t bad_domain_character(std::string_view domain) {
  if (domain.empty() || domain.size() > kMaxDomain) return std::min(domain.size(), kMaxDomain);
  std::size_t label = 0;
  for (std::size_t i = 0; i < domain.size(); ++i) {
    const char c = domain[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c == '.') {
      if (label == 0) return i;
      label = 0;
    } else if (letter || (c >= '0' && c <= '9') || c == '-' || c == '_') {
      if (++label > kMaxDomainLabel) return i;
    } else {
      return i;
    }
  }
  return label == 0 ? domain.size() - 1 : std::string_view::npos;
}

Result<crypto::RecoverableSignature> decode_signature(std::string_view text, std::size_t at) {
  constexpr std::size_t kText = 87;  // characters of 65 bytes
  crypto::RecoverableSignature out{};
  const auto bytes =
      text.size() == kText ? base64url::decode(text) : fail(DnsError::root_signature_form, 0);
  if (!bytes || bytes->size() != out.size()) return fail(DnsError::root_signature_form, at);
  copy_into(out, *bytes);
  return out;
}

Result<Entry> decode_branch(std::string_view text) {
  Branch branch;
  std::size_t at = kBranchPrefix.size();
  if (at == text.size()) return branch;
  while (true) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    auto child = HashLabel::parse(text.substr(at, end - at));
    if (!child) return std::unexpected{child.error().shifted(at)};
    if (branch.children.size() == kMaxBranchChildren) {
      return fail(DnsError::too_many_children, at);
    }
    branch.children.push_back(*std::move(child));
    if (end == text.size()) return branch;
    at = end + 1;
  }
}

std::string add_branch(std::span<std::string> children, Tree& tree) {
  Branch branch;
  for (std::string& text : children) {
    branch.children.push_back(HashLabel::of(text));
    tree.entries.emplace(branch.children.back().text(), std::move(text));
  }
  return encode_entry(branch);
}

// One level of branches over another until a single entry is left, which is returned. One that
// would be alone in its branch goes up as it is.
std::string build(std::vector<std::string> level, Tree& tree) {
  if (level.empty()) return add_branch({}, tree);
  while (level.size() > 1) {
    std::vector<std::string> above;
    for (std::span<std::string> rest{level}; !rest.empty();) {
      const auto children = rest.first(std::min(kBranchChildrenMade, rest.size()));
      rest = rest.subspan(children.size());
      above.push_back(children.size() == 1 ? std::move(children.front())
                                           : add_branch(children, tree));
    }
    level = std::move(above);
  }
  return level.front();
}

HashLabel add_root(std::string text, Tree& tree) {
  HashLabel label = HashLabel::of(text);
  tree.entries.emplace(label.text(), std::move(text));
  return label;
}

}  // namespace

Result<HashLabel> HashLabel::parse(std::string_view text) {
  if (text.size() > kMaxHashText) return fail(DnsError::child_hash, kMaxHashText);
  const auto bytes = base32::decode(text, base32::StrayBits::ignore);
  if (!bytes) return fail(DnsError::child_hash, bytes.error().offset());
  if (bytes->size() < kMinHashBytes) return fail(DnsError::child_hash, text.size());
  return HashLabel{std::string{text}};
}

HashLabel HashLabel::of(std::string_view entry_text) {
  const crypto::Digest32 hash = crypto::keccak256(text_bytes(entry_text));
  return HashLabel{base32::encode(ByteView{hash}.first(kHashBytesMade))};
}

bool HashLabel::matches(std::string_view entry_text) const {
  const crypto::Digest32 hash = crypto::keccak256(text_bytes(entry_text));
  const auto bytes = base32::decode(text_, base32::StrayBits::ignore);
  CHECK(bytes.has_value() && bytes->size() <= hash.size());
  return equal(*bytes, ByteView{hash}.first(bytes->size()));
}

std::string HashLabel::name_under(std::string_view domain) const {
  return fmt::format("{}.{}", text_, domain);
}

Result<Link> Link::parse(std::string_view text) {
  if (text.size() > kMaxEntryText) return fail(DnsError::text_too_long, kMaxEntryText);
  if (!text.starts_with(kLinkPrefix)) return fail(DnsError::unknown_entry);
  const std::size_t at = text.find('@', kLinkPrefix.size());
  if (at == std::string_view::npos) return fail(DnsError::link_without_key, kLinkPrefix.size());
  const auto bytes = base32::decode(text.substr(kLinkPrefix.size(), at - kLinkPrefix.size()));
  if (!bytes || bytes->size() != crypto::kCompressedKeySize) {
    return fail(DnsError::link_key, kLinkPrefix.size() + (bytes ? 0 : bytes.error().offset()));
  }
  const auto key = crypto::PublicKey::parse(*bytes);
  if (!key) return fail(DnsError::link_key, kLinkPrefix.size());
  auto link = make(*key, text.substr(at + 1));
  if (!link) return std::unexpected{link.error().shifted(at + 1)};
  return link;
}

Result<Link> Link::make(const crypto::PublicKey& key, std::string_view domain) {
  const std::size_t bad = bad_domain_character(domain);
  if (bad != std::string_view::npos) return fail(DnsError::domain_name, bad);
  return Link{key, std::string{domain}};
}

std::string Link::text() const {
  return fmt::format("{}{}@{}", kLinkPrefix, base32::encode(key_.compressed()), domain_);
}

std::string Link::identity() const {
  std::string out = text();
  const std::size_t domain = out.size() - domain_.size();
  for (std::size_t i = domain; i < out.size(); ++i) {
    if (out[i] >= 'A' && out[i] <= 'Z') out[i] = static_cast<char>(out[i] - 'A' + 'a');
  }
  return out;
}

bool Root::is_root(std::string_view text) { return text.starts_with(kRootPrefix); }

Result<Root> Root::decode(std::string_view text) {
  if (text.size() > kMaxEntryText) return fail(DnsError::text_too_long, kMaxEntryText);
  if (!is_root(text)) return fail(DnsError::root_syntax);
  Fields fields{text, kRootPrefix.size()};
  const std::string_view e = TRY(fields.value(" e="));
  const std::size_t e_at = fields.value_at();
  const std::string_view l = TRY(fields.value(" l="));
  const std::size_t l_at = fields.value_at();
  const std::string_view digits = TRY(fields.value(" seq="));
  const auto seq = parse_decimal(digits);
  if (!seq || (digits.size() > 1 && digits.front() == '0')) {
    return fail(DnsError::root_syntax, fields.value_at());
  }
  const std::string_view sig = TRY(fields.value(" sig="));
  if (fields.at() != text.size()) return fail(DnsError::root_syntax, fields.at());
  auto records = HashLabel::parse(e);
  if (!records) return std::unexpected{records.error().shifted(e_at)};
  auto links = HashLabel::parse(l);
  if (!links) return std::unexpected{links.error().shifted(l_at)};
  const auto signature = TRY(decode_signature(sig, fields.value_at()));
  return Root{*std::move(records), *std::move(links), *seq, signature};
}

std::string Root::encode() const {
  return fmt::format("{} sig={}", root_content(records, links, seq), base64url::encode(signature));
}

crypto::Digest32 Root::digest() const {
  return crypto::keccak256(text_bytes(root_content(records, links, seq)));
}

Result<void> Root::verify(const crypto::PublicKey& key) const {
  if (!crypto::verify(key, ByteView{signature}.first(sizeof(crypto::CompactSignature)), digest())) {
    return fail(DnsError::root_signature);
  }
  return {};
}

Result<Entry> decode_entry(std::string_view text) {
  if (text.size() > kMaxEntryText) return fail(DnsError::text_too_long, kMaxEntryText);
  if (text.starts_with(kBranchPrefix)) return decode_branch(text);
  if (text.starts_with(kLinkPrefix)) {
    auto link = TRY(Link::parse(text));
    return Entry{std::move(link)};
  }
  if (text.starts_with(kRecordPrefix)) {
    auto record = TRY(VerifiedEnr::parse(text));
    if (record->malformed_port()) return fail(DnsError::record_port);
    return Entry{std::move(record)};
  }
  return fail(DnsError::unknown_entry);
}

std::string encode_entry(const Entry& entry) {
  if (const auto* link = std::get_if<Link>(&entry)) return link->text();
  if (const auto* record = std::get_if<VerifiedEnr>(&entry)) return record->record().text();
  std::string out{kBranchPrefix};
  for (const HashLabel& child : std::get<Branch>(entry).children) {
    if (out.size() > kBranchPrefix.size()) out.push_back(',');
    out += child.text();
  }
  return out;
}

Root Tree::sign(std::uint64_t seq, const crypto::SecretKey& key) const {
  Root out{records, links, seq, {}};
  out.signature = crypto::sign(key, out.digest());
  return out;
}

Result<Root> Tree::root(std::uint64_t seq, std::string_view signature,
                        const crypto::PublicKey& key) const {
  Root out{records, links, seq, {}};
  out.signature = TRY(decode_signature(signature, 0));
  TRY(out.verify(key));
  return out;
}

Result<Tree> make_tree(std::span<const VerifiedEnr> records, std::span<const Link> links) {
  std::map<NodeId, std::string> by_id;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i]->malformed_port()) return fail(DnsError::record_port, i);
    if (!by_id.emplace(records[i].node_id(), records[i].record().text()).second) {
      return fail(DnsError::record_twice, i);
    }
  }
  std::vector<std::string> record_texts;
  for (const auto& [id, text] : by_id) record_texts.push_back(text);
  std::vector<std::string> link_texts;
  std::set<std::string> known;
  for (std::size_t i = 0; i < links.size(); ++i) {
    if (!known.insert(links[i].identity()).second) return fail(DnsError::link_twice, i);
    link_texts.push_back(links[i].text());
  }
  // A label stands for either part until both are there.
  Tree tree{HashLabel::of({}), HashLabel::of({}), {}};
  tree.records = add_root(build(std::move(record_texts), tree), tree);
  tree.links = add_root(build(std::move(link_texts), tree), tree);
  return tree;
}

}  // namespace ethnet::dns
