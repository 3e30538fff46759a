// Lists of nodes in the DNS: the texts of a tree, read and written (EIP-1459, devp2p dnsdisc.md).
//
//   const Link link = TRY(Link::parse("enrtree://AM5F…@nodes.example.org"));
//   const Root root = TRY(Root::decode(text));  TRY(root.verify(link.key()));
//   const Entry entry = TRY(decode_entry(text));
//   const Tree tree = TRY(make_tree(records, links));  const Root root = tree.sign(seq, key);
//
// A name under the tree's domain is the base32 of the first 12 to 32 bytes of the Keccak-256 of its
// text. Every record is verified when it is decoded, and its ports have to be ports: a record that
// others would trip over is neither put into a tree nor taken out of one.
// What EIP-1459 leaves open, decided here: a root is its four fields with one blank between them
// and nothing else; unused bits of a hash do not count (others write them), those of a key do; the
// last byte of a signature (the recovery id) is not looked at, as nobody does.
// Threading: values. Limits: limits.hpp, checked before anything is allocated.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <crypto/digest.hpp>
#include <crypto/secp256k1.hpp>
#include <types/enr.hpp>

#include "error.hpp"
#include "limits.hpp"

namespace ethnet::dns {

// The (abbreviated) hash of an entry, which is its name.
class HashLabel {
 public:
  // Errors: child_hash, at the offset where it is no longer one.
  [[nodiscard]] static Result<HashLabel> parse(std::string_view text);
  // Of the entry with this text, as trees that we make have it.
  [[nodiscard]] static HashLabel of(std::string_view entry_text);

  [[nodiscard]] const std::string& text() const { return text_; }
  // Whether an entry with this text may be at this name.
  [[nodiscard]] bool matches(std::string_view entry_text) const;
  [[nodiscard]] std::string name_under(std::string_view domain) const;

  friend bool operator==(const HashLabel&, const HashLabel&) = default;
  friend auto operator<=>(const HashLabel&, const HashLabel&) = default;

 private:
  explicit HashLabel(std::string text) : text_{std::move(text)} {}
  std::string text_;
};

// Where a tree is and who signs it.
class Link {
 public:
  // "enrtree://KEY@DOMAIN". Errors: unknown_entry, text_too_long, link_without_key, link_key,
  // domain_name.
  [[nodiscard]] static Result<Link> parse(std::string_view text);
  // Error: domain_name.
  [[nodiscard]] static Result<Link> make(const crypto::PublicKey& key, std::string_view domain);

  [[nodiscard]] const crypto::PublicKey& key() const { return key_; }
  [[nodiscard]] const std::string& domain() const { return domain_; }  // as it was written
  [[nodiscard]] std::string text() const;
  // The same for every way to write one tree: names in the DNS have no case.
  [[nodiscard]] std::string identity() const;

  friend bool operator==(const Link&, const Link&) = default;

 private:
  Link(const crypto::PublicKey& key, std::string domain) : key_{key}, domain_{std::move(domain)} {}
  crypto::PublicKey key_;
  std::string domain_;
};

struct Root {
  HashLabel records;  // e=
  HashLabel links;    // l=
  std::uint64_t seq = 0;
  crypto::RecoverableSignature signature{};

  // Does a text mean to be one?
  [[nodiscard]] static bool is_root(std::string_view text);
  // The form alone. Errors: text_too_long, root_syntax, child_hash, root_signature_form.
  [[nodiscard]] static Result<Root> decode(std::string_view text);
  [[nodiscard]] std::string encode() const;
  // What the signature covers.
  [[nodiscard]] crypto::Digest32 digest() const;
  // Error: root_signature.
  [[nodiscard]] Result<void> verify(const crypto::PublicKey& key) const;

  friend bool operator==(const Root&, const Root&) = default;
};

struct Branch {
  std::vector<HashLabel> children;
  friend bool operator==(const Branch&, const Branch&) = default;
};

using Entry = std::variant<Branch, Link, VerifiedEnr>;
// Errors: unknown_entry, text_too_long, child_hash, too_many_children, those of Link::parse and of
// records, record_port.
[[nodiscard]] Result<Entry> decode_entry(std::string_view text);
[[nodiscard]] std::string encode_entry(const Entry& entry);

// All of a tree but its signature.
struct Tree {
  HashLabel records;
  HashLabel links;
  std::map<std::string, std::string, std::less<>> entries;  // label to text

  [[nodiscard]] Root sign(std::uint64_t seq, const crypto::SecretKey& key) const;
  // The root that somebody signed before. Errors: root_signature_form, root_signature.
  [[nodiscard]] Result<Root> root(std::uint64_t seq, std::string_view signature,
                                  const crypto::PublicKey& key) const;
};

// Records are put in order of their node ids, links stay as they are; branches of 13 children: the
// same tree as other tools make of the same content. Errors: record_port, record_twice, link_twice
// (the offset is the index of it as it was given).
[[nodiscard]] Result<Tree> make_tree(std::span<const VerifiedEnr> records,
                                     std::span<const Link> links);

}  // namespace ethnet::dns
