// SPDX-License-Identifier: Apache-2.0
// Which tensor of a checkpoint is the value of which variable of a graph.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "import/saved_model/checkpoint.h"
#include "import/saved_model/saved_model.pb.h"

namespace ingot::tensorflow {

class Variables {
 public:
  /// `prefix`: of the checkpoint, which is read when a variable is. Looks at all of the graph, so
  /// it comes before functions are taken out of it.
  ///
  /// TensorFlow 2 says which object a function is bound to, and the checkpoint where the value of
  /// an object is; names of variables may be anything there. TensorFlow 1 has nodes that assign
  /// what they restore.
  Variables(const MetaGraph& model, std::string prefix,
            std::function<void(const std::string&)> on_read);

  /// The value of a VarHandleOp or VariableV2. Errors: invalid_model when there is none, when it
  /// does not fit the node, and those of Checkpoint.
  Expected<Tensor> read(const NodeDef& node);

 private:
  struct Place {
    std::string key;
    std::string slice;  // TensorFlow 1: "4 8 0,2:-", or empty: all of it
  };
  void bind_objects(const MetaGraph& model);
  void bind_restored(const GraphDef& graph);
  Expected<Checkpoint*> checkpoint();
  Expected<Place> place(const NodeDef& node);

  std::string prefix_;
  std::function<void(const std::string&)> on_read_;
  std::optional<Checkpoint> checkpoint_;
  std::map<std::string, int, std::less<>> objects_;   // by node
  std::map<std::string, Place, std::less<>> places_;  // by node
  std::map<int, std::string> keys_;                   // by object, once the checkpoint is open
};

}  // namespace ingot::tensorflow
