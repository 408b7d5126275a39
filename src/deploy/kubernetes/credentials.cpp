#include "deploy/kubernetes/credentials.hpp"

#include <utility>

namespace certherd::deploy::kubernetes {
namespace {

constexpr std::chrono::minutes read_again_after(1);

class ReadCredentials final : public CredentialSource {
 public:
  ReadCredentials(runtime::EventLoop& loop, runtime::Offload& offload,
                  std::function<Result<Credential>()> read)
      : loop_(loop), offload_(offload), read_(std::move(read)) {}

  Task<Result<Credential>> fetch() override {
    auto credential = co_await offload_.call(read_);
    if (credential) credential->good_until = loop_.clock().now() + read_again_after;
    co_return credential;
  }

 private:
  runtime::EventLoop& loop_;
  runtime::Offload& offload_;
  std::function<Result<Credential>()> read_;
};

}  // namespace

bool same(const Credential& left, const Credential& right) {
  return left.token.reveal() == right.token.reveal() &&
         left.certificate_pem == right.certificate_pem;
}

std::unique_ptr<CredentialSource> make_read_credentials(runtime::EventLoop& loop,
                                                        runtime::Offload& offload,
                                                        std::function<Result<Credential>()> read) {
  return std::make_unique<ReadCredentials>(loop, offload, std::move(read));
}

bool Credentials::is_good() const {
  return kept_ && (!kept_->good_until || loop_.clock().now() < *kept_->good_until);
}

Task<Result<Credential>> Credentials::get() {
  if (is_good()) co_return *kept_;
  const auto seen = fetches_;
  const auto hold = co_await fetching_.take();
  if (is_good()) co_return *kept_;
  if (fetches_ != seen && failure_) co_return fail(*failure_);
  auto fetched = co_await source_->fetch();
  ++fetches_;
  failure_.reset();
  kept_.reset();
  if (!fetched) {
    failure_ = fetched.error();
    co_return fail(std::move(fetched.error()));
  }
  kept_ = *fetched;
  co_return std::move(*fetched);
}

void Credentials::drop(const Credential& refused) {
  if (kept_ && same(*kept_, refused)) kept_.reset();
}

Secret<std::string> trimmed(const Secret<std::string>& text) {
  constexpr std::string_view space = " \t\r\n";
  const std::string& all = text.reveal();
  const auto begin = all.find_first_not_of(space);
  if (begin == std::string::npos) return {};
  return Secret<std::string>(all.substr(begin, all.find_last_not_of(space) - begin + 1));
}

}  // namespace certherd::deploy::kubernetes
