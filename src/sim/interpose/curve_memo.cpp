// secp256k1_ecdsa_verify and secp256k1_ecdsa_recover for binaries that run worlds. Every node of a
// world judges the same records and the signatures of the same blocks: on a thread with a VirtualOs
// the library's answer to the same question is remembered, on every other the library is asked each
// time. Both are pure functions, so that no trace can tell; a world of 100 nodes spent a third of
// its time in them. Who signed is also known from secp256k1_ecdsa_sign_recoverable, where the
// thread signed it itself. Limits: kMaxRemembered, after which a memo begins anew.
//
// Faces the C library: raw pointers come in as it declares them.
#include <cstdint>

#include <base/bytes.hpp>
#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "../virtual_os.hpp"
#include "memo.hpp"

namespace {

using namespace ethnet::sim::interpose;

constexpr std::size_t kQuestionBytes = 64 + 32 + 64;  // signature, digest, key
using Question = ethnet::ByteArray<kQuestionBytes>;
template <class Answer>
using Answers = Memo<kQuestionBytes, Answer>;

struct Recovered {
  int ok = 0;
  secp256k1_pubkey key{};
};

Question make_question(ethnet::ByteView signature, ethnet::ByteView digest, ethnet::ByteView key) {
  Question out{};
  ethnet::MutByteView rest{out};
  for (const ethnet::ByteView part : {signature, digest, key}) {
    ethnet::copy_into(rest, part);
    rest = rest.subspan(part.size());
  }
  return out;
}

// What recovering a signature gives. Of one thread.
Answers<Recovered>& recoveries() {
  thread_local Answers<Recovered> memo;
  return memo;
}

Question recovery_question(const secp256k1_ecdsa_recoverable_signature* signature,
                           const unsigned char* digest) {
  const ethnet::ByteView whole = view_of(signature, sizeof(*signature));
  return make_question(whole.first(64), view_of(digest, 32), whole.subspan(64));
}

// Whether a signature is right.
Answers<int>& verdicts() {
  thread_local Answers<int> memo;
  return memo;
}
Question verdict_question(const secp256k1_ecdsa_signature* signature, const unsigned char* digest,
                          const secp256k1_pubkey* key) {
  return make_question(view_of(signature, sizeof(*signature)), view_of(digest, 32),
                       view_of(key, sizeof(*key)));
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int secp256k1_ecdsa_sign_recoverable(
    const secp256k1_context* context, secp256k1_ecdsa_recoverable_signature* out,
    const unsigned char* digest, const unsigned char* secret, secp256k1_nonce_function nonce,
    const void* nonce_data) {
  static auto* const own =
      library<decltype(secp256k1_ecdsa_sign_recoverable)>("secp256k1_ecdsa_sign_recoverable");
  const int ok = own(context, out, digest, secret, nonce, nonce_data);
  if (ok == 1 && ethnet::sim::VirtualOs::current() != nullptr) {
    const secp256k1_pubkey key = public_key_of(secret);
    (void)remembered(recoveries(), recovery_question(out, digest),
                     [&] { return Recovered{1, key}; });
    secp256k1_ecdsa_signature plain{};
    secp256k1_ecdsa_recoverable_signature_convert(context, &plain, out);
    (void)remembered(verdicts(), verdict_question(&plain, digest, &key), [] { return 1; });
  }
  return ok;
}

__attribute__((visibility("default"))) int secp256k1_ecdsa_verify(
    const secp256k1_context* context, const secp256k1_ecdsa_signature* signature,
    const unsigned char* digest, const secp256k1_pubkey* key) {
  static auto* const own = library<decltype(secp256k1_ecdsa_verify)>("secp256k1_ecdsa_verify");
  const auto ask = [&] { return own(context, signature, digest, key); };
  if (ethnet::sim::VirtualOs::current() == nullptr) return ask();
  return remembered(verdicts(), verdict_question(signature, digest, key), ask);
}

__attribute__((visibility("default"))) int secp256k1_ecdsa_recover(
    const secp256k1_context* context, secp256k1_pubkey* out,
    const secp256k1_ecdsa_recoverable_signature* signature, const unsigned char* digest) {
  static auto* const own = library<decltype(secp256k1_ecdsa_recover)>("secp256k1_ecdsa_recover");
  if (ethnet::sim::VirtualOs::current() == nullptr) return own(context, out, signature, digest);
  const Recovered answer = remembered(recoveries(), recovery_question(signature, digest), [&] {
    Recovered fresh;
    fresh.ok = own(context, &fresh.key, signature, digest);
    return fresh;
  });
  *out = answer.key;
  return answer.ok;
}

}  // extern "C"
