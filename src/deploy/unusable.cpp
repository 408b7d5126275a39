#include "deploy/unusable.hpp"

namespace certherd::deploy {
namespace {

class Unusable final : public Target {
 public:
  explicit Unusable(Error why) : why_(std::move(why)) {}

  Task<Result<std::optional<Installation>>> observe(Fqdn) override { co_return fail(why_); }
  Task<Result<Receipt>> install(Fqdn, Material, std::string) override { co_return fail(why_); }
  Task<Status> clean_up(Receipt) override { co_return fail(why_); }
  Task<Status> retire(Receipt) override { co_return fail(why_); }
  Task<Status> check() override { co_return fail(why_); }
  Task<void> stop() override { co_return; }

 private:
  Error why_;
};

}  // namespace

std::unique_ptr<Target> make_unusable(Error why) {
  return std::make_unique<Unusable>(std::move(why));
}

}  // namespace certherd::deploy
