"""The scenario on dapr-agents: a workflow that runs three durable agents one after the other, each with one model call.

Summarising is off: 1.0.9 makes a second model call for each agent to summarise its conversation, which no option switches off, so the
activity returns at once. At most one turn for each agent, no tools, no registry.
"""

import os
from contextlib import asynccontextmanager

import dapr.ext.workflow as wf
import uvicorn
from dapr_agents import DurableAgent
from dapr_agents.agents.configs import AgentExecutionConfig, AgentStateConfig
from dapr_agents.llm import OpenAIChatClient
from dapr_agents.storage.daprstores.stateservice import StateStoreService
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse

TIMEOUT_S = 60
runtime = wf.WorkflowRuntime()
model = OpenAIChatClient(model="none", api_key="none", base_url=os.environ["MODEL_URL"])


class Brief(DurableAgent):
    """An agent that makes no second model call for a summary."""

    def summarize(self, ctx, payload=None):
        return {}


def make(name: str) -> Brief:
    return Brief(
        name=name,
        role="Adder",
        instructions=["Answer with the number plus one, and nothing else."],
        llm=model,
        state=AgentStateConfig(store=StateStoreService(store_name="statestore")),
        execution=AgentExecutionConfig(max_iterations=1),
        runtime=runtime,
    )


agents = [make(name) for name in ("N1", "N2", "N3")]


def three(ctx: wf.DaprWorkflowContext, value: int):
    for agent in agents:
        answer = yield ctx.call_child_workflow(workflow=agent.agent_workflow_name, input={"task": str(value)})
        value = int(answer["content"])
    return value


@asynccontextmanager
async def lifespan(_app: FastAPI):
    for agent in agents:
        agent.register_workflows(runtime)
    runtime.register_workflow(three, name="three")
    runtime.start()
    print("listening", flush=True)
    yield
    runtime.shutdown()


app = FastAPI(lifespan=lifespan)


def run_one(value: int) -> PlainTextResponse:
    instance = client().schedule_new_workflow(workflow=three, input=value)
    state = client().wait_for_workflow_completion(instance, timeout_in_seconds=TIMEOUT_S)
    if state is None or state.runtime_status.name != "COMPLETED":
        return PlainTextResponse(f"{state}", status_code=500)
    return PlainTextResponse(state.serialized_output or "")


_client: list[wf.DaprWorkflowClient] = []


def client() -> wf.DaprWorkflowClient:
    if not _client:
        _client.append(wf.DaprWorkflowClient())
    return _client[0]


@app.get("/healthz")
async def healthy() -> PlainTextResponse:
    return PlainTextResponse("ok")


@app.post("/run/{_id}")
async def run(_id: str, request: Request) -> PlainTextResponse:
    value = int((await request.body()).decode())
    return await run_in_threadpool(run_one, value)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["APP_PORT"]), log_level="warning")
