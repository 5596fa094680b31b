// SPDX-License-Identifier: MIT
// Python's pickle machine (docs.python.org/3/library/pickletools, protocols 2 to 5) as far as
// torch.save uses it, which runs nothing: a "call" asks PickleCalls what it means, and what that
// does not know becomes an inert value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/training/checkpoint/pickle_value.h"

namespace talkface::checkpoint {

// What calls and persistent ids mean. May throw Error.
class PickleCalls {
 public:
  virtual ~PickleCalls() = default;
  // callable(*arguments), by the callable's full name ("collections.OrderedDict").
  virtual Value Call(PickleHeap* heap, std::string_view callable,
                     const std::vector<ValueId>& arguments) = 0;
  virtual Value Persistent(PickleHeap* heap, ValueId id) = 0;
};

// Runs one pickle, which must fill `bytes` exactly; returns the object that it stands for. Text and
// bytes of the values are views of `bytes`. `name` is for messages. Throws Error{kBadPack} where
// the pickle is damaged, uses what torch.save does not, names a function that runs programs or
// Python code, or exceeds a limit: 2 million values and memo numbers, 10 million items of lists
// and dicts, names of 512 characters, 100 000 values on the stack, 200 levels of nesting.
ValueId RunPickle(const std::string& name, std::string_view bytes, PickleCalls* calls,
                  PickleHeap* heap);

}  // namespace talkface::checkpoint
