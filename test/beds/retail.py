"""The shop of tau2 `retail`, as the package itself has it, behind lines of JSON: a world for each task, calls, and the state of a world.

The package's own dependencies are not installed: what it imports of them is replaced by the few names that its tools use.
"""

import atexit
import json
import os
import shutil
import sys
import tempfile
import types

from pydantic import BaseModel


def replace(name, **parts):
    module = types.ModuleType(name)
    module.__dict__.update(parts)
    sys.modules[name] = module
    return module


# The package leaves temporary files behind.
tempfile.tempdir = tempfile.mkdtemp(prefix="troupe-retail-")
atexit.register(shutil.rmtree, tempfile.tempdir, ignore_errors=True)


class ToolError(Exception):
    pass


class StoreModel(BaseModel):
    instance: str = ""


ROOT = sys.argv[1]
replace("inspect_ai")
replace("inspect_ai.tool", ToolError=ToolError)
replace("inspect_ai.util", StoreModel=StoreModel)
replace("inspect_ai.model", Content=object, ContentText=object)
replace("toml")
replace("yaml")
replace("inspect_evals").__path__ = [os.path.join(ROOT, "inspect_evals")]
replace("inspect_evals.tau2").__path__ = [os.path.join(ROOT, "inspect_evals", "tau2")]

from inspect_evals.tau2.retail.RetailAgentTools import RetailAgentTools  # noqa: E402

first = RetailAgentTools(instance="first")
first.initialize()
worlds = {}


def answer(asked):
    world = asked["world"]
    if world not in worlds:
        worlds[world] = RetailAgentTools(instance=world, db=first.db.model_copy(deep=True), initialized=True)
    if "call" not in asked:
        return {"result": worlds.pop(world).db.get_hash()}
    try:
        return {"result": getattr(worlds[world], asked["call"])(**asked["arguments"])}
    except ToolError as error:
        return {"error": str(error)}


for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"id": asked["id"], **answer(asked)}), flush=True)
