// Our own record: it gets a higher number when it says something else, and only then
// (discv5-theory, "Maintaining The Local Record"; attack 37). Pure.
#pragma once

#include <memory>

#include <crypto/secp256k1.hpp>
#include <discovery/kbucket/scope.hpp>
#include <types/endpoint.hpp>
#include <types/enr.hpp>

namespace ethnet::discv5 {

// Whether both say the same, whatever their numbers and signatures.
[[nodiscard]] bool says_the_same(const Enr& a, const Enr& b);

// The widest scope of the addresses that it names; special: none that another could reach.
[[nodiscard]] kbucket::Scope scope_named(const Enr& record);

// The record with this address of ours for discovery, its number one higher; null when it says so
// already. Sessions' ports stay as they are.
[[nodiscard]] std::shared_ptr<const VerifiedEnr> record_at(const VerifiedEnr& current,
                                                           const crypto::SecretKey& key,
                                                           const Endpoint& seen_at);

// The same without our address of this family; null when it names none.
[[nodiscard]] std::shared_ptr<const VerifiedEnr> record_without(const VerifiedEnr& current,
                                                                const crypto::SecretKey& key,
                                                                bool v6);

}  // namespace ethnet::discv5
