// Errors end in log lines and on terminals: each has a text, and no two of a module the same one.
#include <set>
#include <string>

#include <chain/chain_manager.hpp>
#include <codec/base32.hpp>
#include <codec/base64url.hpp>
#include <codec/snappy_block.hpp>
#include <crypto/error.hpp>
#include <discovery/dns/error.hpp>
#include <gtest/gtest.h>
#include <protocol/mini_sync/messages.hpp>
#include <session/requests.hpp>
#include <session/session.hpp>
#include <store/segment_store.hpp>
#include <transport/conn.hpp>
#include <types/endpoint.hpp>
#include <types/enode_url.hpp>
#include <types/header.hpp>

namespace ethnet {
namespace {

// All from 1 to `last`, the last one; the next value has no text.
template <ErrorEnum E>
void expect_a_text_each(E last) {
  std::set<std::string_view> texts;
  const auto count = static_cast<std::uint16_t>(last);
  for (std::uint16_t code = 1; code <= count; ++code) {
    const Error error{static_cast<E>(code)};
    EXPECT_FALSE(error.what().empty() || error.what() == "unknown") << error.domain() << code;
    texts.insert(error.what());
  }
  EXPECT_EQ(texts.size(), count) << Error{last}.domain();
  EXPECT_EQ(Error{static_cast<E>(count + 1)}.what(), "unknown") << Error{last}.domain();
}

TEST(ErrorTexts, EveryErrorHasOneOfItsOwn) {
  expect_a_text_each(base32::Base32Error::stray_bits);
  expect_a_text_each(base64url::Base64Error::stray_bits);
  expect_a_text_each(dns::DnsError::unanswered);
  expect_a_text_each(snappy::SnappyError::corrupt);
  expect_a_text_each(crypto::CryptoError::recovery_failed);
  expect_a_text_each(EndpointError::scoped_address);
  expect_a_text_each(EnodeError::unknown_query);
  expect_a_text_each(HeaderError::extra_data_too_long);
  expect_a_text_each(chain::ChainError::bad_signature_size);
  expect_a_text_each(chain::TreeError::duplicate);
  expect_a_text_each(store::FileError::no_descriptors);
  expect_a_text_each(store::StoreError::missing_segment);
  expect_a_text_each(transport::ConnError::connection_limit);
  expect_a_text_each(session::SessionError::bad_proof);
  expect_a_text_each(session::RequestError::too_large);
  expect_a_text_each(mini_sync::MiniSyncError::bad_signature_size);
}

}  // namespace
}  // namespace ethnet
