// SPDX-License-Identifier: MIT
#include "models/core/sized.h"

#include <gtest/gtest.h>

#include "models/core/options.h"
#include "tests/units/support/expect_error.h"

namespace talkface {
namespace {

struct Old {
  uint32_t size = sizeof(Old);
  uint32_t first = 0;
};

struct New {
  uint32_t size = sizeof(New);
  uint32_t first = 1;
  uint64_t second = 2;
};

TEST(Sized, FieldsThatTheCallerLacksHaveTheirDefaults) {
  Old old;
  old.first = 7;
  const New read = ReadSized(reinterpret_cast<const New*>(&old), "old");
  EXPECT_EQ(read.size, sizeof(New));
  EXPECT_EQ(read.first, 7u);
  EXPECT_EQ(read.second, 2u);
}

TEST(Sized, NothingIsWrittenBeyondTheCallersStruct) {
  struct {
    Old old;
    uint64_t beyond = 0xABCD;
  } caller;
  New value;
  value.first = 9;
  WriteSized(value, reinterpret_cast<New*>(&caller.old), "old");
  EXPECT_EQ(caller.old.first, 9u);
  EXPECT_EQ(caller.old.size, sizeof(Old));
  EXPECT_EQ(caller.beyond, 0xABCDu);
}

TEST(Sized, OfALargerStructWhatIsNotKnownStays) {
  New caller;
  caller.first = 3;
  caller.second = 4;
  EXPECT_EQ(ReadSized(reinterpret_cast<const Old*>(&caller), "new").first, 3u);
  Old value;
  value.first = 5;
  WriteSized(value, reinterpret_cast<Old*>(&caller), "new");
  EXPECT_EQ(caller.size, sizeof(New));
  EXPECT_EQ(caller.first, 5u);
  EXPECT_EQ(caller.second, 4u);
}

TEST(Sized, NullAndSizesThatCannotBeAreRefused) {
  EXPECT_ERROR(ReadSized<New>(nullptr, "thing"), Code::kInvalid, "thing is null");
  EXPECT_ERROR(WriteSized<New>(New{}, nullptr, "thing"), Code::kInvalid, "thing is null");
  New wrong;
  for (const uint32_t size : {0u, 4u, 7u, 10u, 0xCDCDCDCDu}) {
    wrong.size = size;
    EXPECT_ERROR(ReadSized(&wrong, "thing"), Code::kInvalid, "thing is " + std::to_string(size));
    EXPECT_ERROR(WriteSized(New{}, &wrong, "thing"), Code::kInvalid, "sizeof");
  }
}

class OptionsTest : public testing::Test {
 protected:
  OptionsTest() {
    info_.name = "paper";
    info_.options = kKnown;
    info_.option_count = 2;
  }
  static constexpr OptionInfo kKnown[] = {{"steps", "20", ""}, {"warmth", "1", ""}};
  EngineInfo info_;
};

TEST_F(OptionsTest, ValuesAreWholeNumbersWithinTheirRange) {
  const Option given{"steps", "7"};
  const Options options(&given, 1, info_);
  EXPECT_EQ(options.Whole("steps", 1, 50, 20), 7);
  EXPECT_EQ(options.Whole("warmth", 1, 50, 20), 20);
  for (const char* value :
       {"", " 7", "7 ", "+7", "seven", "7.0", "0", "51", "99999999999999999999"}) {
    const Option wrong{"steps", value};
    EXPECT_ERROR(Options(&wrong, 1, info_).Whole("steps", 1, 50, 20), Code::kInvalid,
                 "'steps' is '" + std::string(value) + "'", "from 1 to 50");
  }
}

TEST_F(OptionsTest, WhatTheFamilyDoesNotHaveIsRefused) {
  const Option strange{"speed", "7"}, twice[] = {{"steps", "7"}, {"steps", "8"}};
  EXPECT_ERROR(Options(&strange, 1, info_), Code::kInvalid, "'paper'", "'speed'", "steps, warmth");
  EXPECT_ERROR(Options(&strange, 1, EngineInfo{}), Code::kInvalid, "it has none");
  EXPECT_ERROR(Options(twice, 2, info_), Code::kInvalid, "'steps' is given twice");
}

TEST_F(OptionsTest, NullIsRefused) {
  const Option no_key{nullptr, "7"}, no_value{"steps", nullptr};
  EXPECT_ERROR(Options(nullptr, 1, info_), Code::kInvalid, "options.options is null");
  EXPECT_ERROR(Options(&no_key, 1, info_), Code::kInvalid, "key is null");
  EXPECT_ERROR(Options(&no_value, 1, info_), Code::kInvalid, "value is null");
  EXPECT_ERROR(Options(&no_value, UINT64_MAX, info_), Code::kInvalid, "option_count");
  EXPECT_NO_THROW(Options(nullptr, 0, info_));
}

}  // namespace
}  // namespace talkface
