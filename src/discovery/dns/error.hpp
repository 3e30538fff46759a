// What can be wrong with a list of nodes in the DNS (EIP-1459). Errors inside a record, base32 or
// base64 keep their own domain.
#pragma once

#include <cstddef>
#include <utility>

#include <base/result.hpp>

namespace ethnet::dns {

enum class DnsError : std::uint16_t {
  // Texts.
  unknown_entry = 1,  // none of the kinds that EIP-1459 has
  text_too_long,
  root_syntax,
  child_hash,  // not base32 of 12 to 32 bytes
  too_many_children,
  root_signature_form,  // not 65 bytes in base64url
  link_without_key,
  link_key,
  domain_name,  // not a name under which a tree can be asked for
  // Records in a tree.
  record_port,   // one that is no 16-bit number
  record_twice,  // two records of one identity, in a tree that we make
  link_twice,
  // Trees.
  root_signature,  // not of the key that the URL names
  sequence_decreased,
  no_root,   // no text at the name is a root
  no_entry,  // no text at the name is an entry
  hash_mismatch,
  wrong_subtree,  // a record among links or the other way round
  too_deep,
  too_many_entries,
  too_many_trees,
  link_too_far,
  // Questions.
  not_found,   // the name does not exist, or has no TXT record
  unanswered,  // the resolver says that it failed, or says nothing
};
inline constexpr std::size_t kDnsErrors = std::to_underlying(DnsError::unanswered) + 1;

[[nodiscard]] const ErrorDomain& error_domain(DnsError);

}  // namespace ethnet::dns
