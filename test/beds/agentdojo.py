"""Suites of AgentDojo, as the package itself has them, behind lines of JSON: what a suite holds, a world for each run, calls, and verdicts.

The package's own dependencies are not installed: what it imports of them is replaced by the few names that its suites use.
"""

import importlib
import json
import os
import sys
import types

ROOT = os.path.join(sys.argv[1], "agentdojo")
VERSION = (1, 2, 2)


def replace(name, **parts):
    module = types.ModuleType(name)
    module.__dict__.update(parts)
    sys.modules[name] = module
    return module


def package(name):
    """A package of which only single modules are loaded: its own `__init__` would load all."""
    replace(f"agentdojo.{name}").__path__ = [os.path.join(ROOT, *name.split("."))]


class Nothing:
    pass


def documented(_text):
    return types.SimpleNamespace(short_description="a tool", long_description=None, params=[])


sys.path.insert(0, sys.argv[1])
replace("docstring_parser", parse=documented)
replace("docstring_parser.common", DocstringParam=Nothing)
package("agent_pipeline")
replace("agentdojo.agent_pipeline.base_pipeline_element", BasePipelineElement=Nothing)
replace("agentdojo.agent_pipeline.errors", AbortAgentError=Exception)
replace("agentdojo.agent_pipeline.ground_truth_pipeline", GroundTruthPipeline=Nothing)
package("task_suite")
package("default_suites")
for later in ("v1_1_1", "v1_2", "v1_2_2"):
    package(f"default_suites.{later}")
    for suite in ("banking", "slack"):
        package(f"default_suites.{later}.{suite}")

from agentdojo.default_suites.v1.banking import banking_task_suite  # noqa: E402
from agentdojo.default_suites.v1.slack import slack_task_suite  # noqa: E402
from agentdojo.functions_runtime import FunctionCall  # noqa: E402

# Later tasks of these suites, which register themselves.
for name in (
    "v1_1_1.banking.user_tasks",
    "v1_1_1.slack.user_tasks",
    "v1_2.banking.injection_tasks",
    "v1_2.slack.user_tasks",
    "v1_2_2.banking.user_tasks",
):
    importlib.import_module(f"agentdojo.default_suites.{name}")

suites = {suite.name: suite.get_new_version(VERSION) for suite in (banking_task_suite, slack_task_suite)}
functions = {name: {tool.name: tool for tool in suite.tools} for name, suite in suites.items()}
worlds = {}


def filled(value, attack):
    """A copy of a value with the attack in the place of each mark of an injection vector."""
    if isinstance(value, str):
        return attack if value == MARK else value.replace(MARK, attack)
    if isinstance(value, list):
        return [filled(item, attack) for item in value]
    if isinstance(value, dict):
        return {filled(key, attack): filled(item, attack) for key, item in value.items()}
    return value


MARK = "INJECTIONVECTOR"


def environment_of(suite, attack):
    vectors = suite.get_injection_vector_defaults()
    plain = suite.load_and_inject_default_environment({} if attack is None else {vector: MARK for vector in vectors})
    return plain if attack is None else suite.environment_type.model_validate(filled(plain.model_dump(), attack))


class World:
    def __init__(self, suite, user, injection, attack):
        self.suite = suites[suite]
        self.functions = functions[suite]
        self.user = self.suite.user_tasks[user]
        self.injection = None if injection is None else self.suite.injection_tasks[injection]
        text = None if self.injection is None else attack.replace("{goal}", self.injection.GOAL)
        self.after = self.user.init_environment(environment_of(self.suite, text))
        self.before = self.after.model_copy(deep=True)
        self.made = []

    def told(self):
        def calls(task):
            wanted = task.ground_truth(self.before.model_copy(deep=True))
            return [{"name": call.function, "input": dict(call.args)} for call in wanted]

        attack = [] if self.injection is None else calls(self.injection)
        return {"prompt": self.user.PROMPT, "answer": self.user.GROUND_TRUTH_OUTPUT, "calls": calls(self.user), "attack": attack}

    def call(self, name, arguments):
        function = self.functions[name]
        parts = {key: part.extract_dep_from_env(self.after) for key, part in function.dependencies.items()}
        self.made.append(FunctionCall(function=name, args=dict(arguments)))
        return function.run(**arguments, **parts)

    def verdict(self, output):
        def judged(task, kind):
            facts = (output, self.before, self.after)
            found = getattr(task, f"{kind}_from_traces")(*facts, self.made)
            return bool(getattr(task, kind)(*facts) if found is None else found)

        attacked = False if self.injection is None else judged(self.injection, "security")
        return {"useful": judged(self.user, "utility"), "attacked": attacked}


def as_json(value):
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value.model_dump() if hasattr(value, "model_dump") else value


def answer(asked):
    if "suite" not in asked:
        world = worlds[asked["world"]]
        if "verdict" in asked:
            return {"result": worlds.pop(asked["world"]).verdict(asked["verdict"])}
        try:
            return {"result": as_json(world.call(asked["call"], asked["arguments"]))}
        except (ValueError, KeyError) as error:
            return {"error": str(error)}
    if "world" not in asked:
        suite = suites[asked["suite"]]
        return {"result": {"users": list(suite.user_tasks), "injections": list(suite.injection_tasks)}}
    worlds[asked["world"]] = World(asked["suite"], asked["user"], asked.get("injection"), asked.get("attack"))
    return {"result": worlds[asked["world"]].told()}


lines, sys.stdout = sys.stdout, sys.stderr
for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"id": asked["id"], **answer(asked)}), file=lines, flush=True)
