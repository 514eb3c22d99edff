namespace Herd.Gateway.Tests.Requests;

/// <summary>A valid request of each endpoint that reads JSON. The fuzz test changes them.</summary>
internal static class ValidRequests
{
    private const string Conversation = "conv_00000000000000000000000000000000";

    private const string Function = """
        {"type":"function","function":{"name":"f","description":"d","strict":true,"parameters":
        {"type":"object","properties":{"a":{"type":"string","description":"x"}},"required":["a"]}}}
        """;

    public static readonly (string Path, string Body)[] All =
    [
        ("/v1/chat/completions", $$$"""
            {"model":"tiny","messages":[{"role":"system","content":"s"},
            {"role":"user","content":[{"type":"text","text":"hi"}]},
            {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",
            "function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}],
            "stream":false,"stream_options":{"include_usage":true},"n":1,"logprobs":true,"top_logprobs":2,
            "max_tokens":4,"max_completion_tokens":4,"temperature":0.5,"top_p":0.5,"top_k":4,"min_p":0.1,
            "typical_p":0.9,"seed":1,"stop":["a","b"],"frequency_penalty":0.1,"presence_penalty":0.1,
            "repetition_penalty":1.1,"logit_bias":{"5":1.5},"ignore_eos":false,"tool_choice":
            {"type":"function","function":{"name":"f"}},"tools":[{{{Function}}}],
            "response_format":{"type":"json_schema",
            "json_schema":{"name":"n","schema":{"type":"object","properties":{"p":{"type":"string"} } } } },
            "prompt_cache_key":"k","metadata":{"user_id":"u"},"conversation":{"id":"x"},"functions":[],
            "modalities":["text"],"chat_template_kwargs":{},"unknown":[1]}
            """),
        ("/v1/chat/completions", """
            {"model":"tiny","stream":true,"messages":[{"role":"user","content":"hi"}]}
            """),
        ("/v1/completions", """
            {"model":"tiny","prompt":["hi"],"stream":true,"stream_options":{"include_usage":true},"n":1,"best_of":1,
            "echo":false,"suffix":"","logprobs":0,"max_tokens":4,"temperature":0.5,"top_p":0.5,"seed":1,"stop":"x",
            "frequency_penalty":0.1,"presence_penalty":0.1,"ignore_eos":false,"metadata":{"user_id":"u"}}
            """),
        ("/v1/embeddings", """{"model":"tiny","input":["a","b"],"encoding_format":"float","user":"u"}"""),
        ("/v1/responses", """
            {"model":"tiny","input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]},
            {"type":"reasoning","summary":[]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
            {"type":"function_call_output","call_id":"c","output":"r"}],"instructions":"i","store":true,
            "stream":false,"background":false,"temperature":0.5,"top_p":0.5,"max_output_tokens":4,
            "truncation":"auto","text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"}}},
            "tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":false}],
            "tool_choice":{"type":"function","name":"f"},"metadata":{"a":"b"}}
            """),
        ("/v1/responses", """
            {"model":"tiny","input":"hi","stream":true,"previous_response_id":
            "resp_0000000000000000000000000000000000000000000000000000000000000000"}
            """),
        ("/v1/responses", $$$"""{"model":"tiny","input":"hi","conversation":{"id":"{{{Conversation}}}"}}"""),
        ("/v1/conversations", """
            {"items":[{"type":"message","role":"system","content":"s"}],"metadata":{"a":"b"}}
            """),
        ($"/v1/conversations/{Conversation}", """{"metadata":{"a":"b"}}"""),
        ("/v1/messages", """
            {"model":"tiny","max_tokens":4,"system":[{"type":"text","text":"s"}],"messages":[
            {"role":"user","content":[{"type":"text","text":"hi"}]},{"role":"assistant","content":[
            {"type":"thinking","thinking":"t"},{"type":"tool_use","id":"c","name":"f","input":{"a":1}}]},
            {"role":"user","content":[
            {"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"r"}]}]}],
            "stop_sequences":["a"],"temperature":0.5,"top_p":0.5,"top_k":4,"stream":false,
            "tools":[{"name":"f","description":"d","input_schema":{"type":"object"},"strict":false}],
            "tool_choice":{"type":"tool","name":"f"},"metadata":{"user_id":"u"}}
            """),
        ("/v1/messages", """
            {"model":"tiny","max_tokens":4,"stream":true,"messages":[{"role":"user","content":"hi"}]}
            """),
        ("/v1/messages/count_tokens", """{"model":"tiny","messages":[{"role":"user","content":"hi"}]}"""),
        ("/api/chat", """
            {"model":"tiny","stream":true,"format":{"type":"object"},"messages":[
            {"role":"user","content":"hi","images":[]},{"role":"assistant","content":"","thinking":"t","tool_calls":[
            {"function":{"name":"f","arguments":{"a":1}}}]},{"role":"tool","content":"r"}],
            "options":{"temperature":0.5,"top_k":4,"top_p":0.5,"min_p":0.1,"typical_p":0.9,"seed":1,"num_predict":4,
            "stop":["a"],"repeat_penalty":1.1,"presence_penalty":0.1,"frequency_penalty":0.1},"keep_alive":"5m"}
            """),
        ("/api/generate", """{"model":"tiny","prompt":"hi","system":"s","raw":false,"stream":false,"format":"json"}"""),
        ("/api/embed", """{"model":"tiny","input":["a"]}"""),
        ("/api/show", """{"model":"tiny","name":"tiny"}"""),
        ("/tokenize", """{"model":"tiny","content":"hi"}"""),
        ("/detokenize", """{"model":"tiny","tokens":[1,2]}"""),
        ("/apply-template", """{"model":"tiny","messages":[{"role":"user","content":"hi"}]}"""),
        ("/herd/v1/conversations", """{"model":"tiny","system":"s"}"""),
        ($"/herd/v1/conversations/{Conversation}:fork", """{"lastTurnId":"t"}"""),
        ($"/herd/v1/conversations/{Conversation}:move", """{"node":"node-1"}"""),
        ($"/herd/v1/conversations/{Conversation}/turns/t:cancel", "{}"),
        ("/herd/v1/tokenize", """{"model":"tiny","text":"hi"}"""),
    ];
}
