#include "store/codec_error.hpp"

#include "store/codec_error_members.hpp"

namespace certherd::store {

std::string encode_error(const Error& error) { return codec::to_text(error); }

Result<Error> decode_error(std::string_view text) { return codec::from_text<Error>(text); }

}  // namespace certherd::store
