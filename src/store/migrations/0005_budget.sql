-- What is spent of the limits of outside systems, for all processes of this store: when each will
-- be whole again (policy/gcra.hpp).
CREATE TABLE budget (
  name TEXT PRIMARY KEY,
  full_at BIGINT NOT NULL
);
