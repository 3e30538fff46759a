#include "error.hpp"

namespace ethnet::dns {
namespace {

std::string_view describe_text(DnsError code) {
  switch (code) {
    case DnsError::unknown_entry:
      return "no kind of entry that is known";
    case DnsError::text_too_long:
      return "text longer than an entry may be";
    case DnsError::root_syntax:
      return "not of the form of a root";
    case DnsError::child_hash:
      return "not the hash of an entry";
    case DnsError::too_many_children:
      return "branch with too many children";
    case DnsError::root_signature_form:
      return "signature not of 65 bytes in base64url";
    case DnsError::link_without_key:
      return "link without a public key";
    case DnsError::link_key:
      return "link with a bad public key";
    case DnsError::domain_name:
      return "not a domain name that a tree can have";
    case DnsError::record_port:
      return "record with a port that is no 16-bit number";
    case DnsError::record_twice:
      return "two records of one node";
    case DnsError::link_twice:
      return "the same link twice";
    default:
      return {};
  }
}

std::string_view describe_tree(DnsError code) {
  switch (code) {
    case DnsError::root_signature:
      return "root not signed by the key of the URL";
    case DnsError::sequence_decreased:
      return "root with a lower sequence number than before";
    case DnsError::no_root:
      return "no root at this name";
    case DnsError::no_entry:
      return "no entry at this name";
    case DnsError::hash_mismatch:
      return "content is not that of the hash";
    case DnsError::wrong_subtree:
      return "entry in the wrong part of the tree";
    case DnsError::too_deep:
      return "branches nested too deeply";
    case DnsError::too_many_entries:
      return "tree with too many entries";
    case DnsError::too_many_trees:
      return "links to too many trees";
    case DnsError::link_too_far:
      return "tree reached over too many links";
    case DnsError::not_found:
      return "name without a TXT record";
    case DnsError::unanswered:
      return "no answer from the resolver";
    default:
      return {};
  }
}

std::string_view describe(std::uint16_t number) {
  const auto code = static_cast<DnsError>(number);
  for (const auto part : {describe_text, describe_tree}) {
    if (const std::string_view text = part(code); !text.empty()) return text;
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"dns", describe};

}  // namespace

const ErrorDomain& error_domain(DnsError) { return kDomain; }

}  // namespace ethnet::dns
