using System.Globalization;
using System.Net;
using Google.Rpc;
using Grpc.Core;
using Herd.V1;
using static Herd.Cluster.Tests.TinyCluster;

namespace Herd.Cluster.Tests;

/// <summary>Requests that cannot be served. The error says which field or limit is at fault.</summary>
[Collection(nameof(TinyCluster))]
public sealed class BadInputTests(TinyCluster cluster)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Converse_PromptOverContext_SaysBothNumbersAndLosesNothing()
    {
        var id = await cluster.NewConversation();

        var error = await Refused(
            () => cluster.Converse(new ConverseRequest { ConversationId = id, Text = new string('x', 5000) }));

        Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
        var info = error.GetRpcStatus()!.GetDetail<ErrorInfo>();
        Assert.Equal(("herd", "ContextOverflow", "2048"), (info.Domain, info.Reason, info.Metadata["context_tokens"]));
        Assert.True(int.Parse(info.Metadata["prompt_tokens"], CultureInfo.InvariantCulture) > 5000);
        await cluster.Converse(new ConverseRequest { ConversationId = id, Text = "short", MaxTokens = 4 });
        var stored = await cluster.Conversations.GetConversationAsync(
            new GetConversationRequest { ConversationId = id }, AsAlice, cancellationToken: Cancellation);
        Assert.Equal([TurnState.Failed, TurnState.Completed], stored.Conversation.Turns.Select(turn => turn.State));
    }

    [Theory]
    [InlineData("text", "")]
    [InlineData("turn_id", "hi", "a b")]
    [InlineData("sampling.temperature", "hi", null, -1f)]
    [InlineData("sampling.temperature", "hi", null, float.NaN)]
    [InlineData("sampling.temperature", "hi", null, float.PositiveInfinity)]
    [InlineData("max_tokens", "hi", null, null, -5)]
    public async Task Converse_BadField_IsRefusedByName(
        string field, string text, string? turnId = null, float? temperature = null, int? maxTokens = null)
    {
        var request = new ConverseRequest
        {
            ConversationId = await cluster.NewConversation(), Text = text, Sampling = new Sampling(),
        };
        if (turnId is not null)
        {
            request.TurnId = turnId;
        }

        if (temperature is { } t)
        {
            request.Sampling.Temperature = t;
        }

        if (maxTokens is { } m)
        {
            request.MaxTokens = m;
        }

        var error = await Refused(() => cluster.Converse(request));

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Equal(field, error.GetRpcStatus()!.GetDetail<BadRequest>().FieldViolations.Single().Field);
    }

    /// <summary>The tiny model has no token to begin a text with, so it cannot answer nothing.</summary>
    [Theory]
    [InlineData("/v1/completions", """ "prompt":"" """)]
    [InlineData("/v1/completions", """ "prompt":[""] """)]
    [InlineData("/v1/completions", """ "prompt":[""],"stream":true """)]
    [InlineData("/v1/completions", """ "prompt":[] """)]
    [InlineData("/v1/completions", """ "prompt":[[]] """)]
    [InlineData("/api/generate", """ "prompt":"","raw":true,"stream":false """)]
    [InlineData("/api/generate", """ "prompt":"","system":"","raw":true,"stream":false """)]
    [InlineData("/v1/embeddings", """ "input":"" """, "input")]
    [InlineData("/v1/embeddings", """ "input":["a",""] """, "input")]
    [InlineData("/api/embed", """ "input":[""] """, "input")]
    public async Task EmptyPrompt_AtAnyInterface_IsRefusedAndNodesStayReady(
        string path, string fields, string field = "prompt")
    {
        for (var node = 0; node < 2; node++)
        {
            var refused = await cluster.Post(path, $$"""{"model":"tiny",{{fields}}}""").WaitAsync(Soon, Cancellation);
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            Assert.Contains(field, (await Json(refused)).GetProperty("error").ToString(), StringComparison.Ordinal);
        }

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => cluster.Post(
            "/v1/completions", """{"model":"tiny","prompt":"a","max_tokens":2}""").WaitAsync(Soon, Cancellation)));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        await cluster.WaitForNodes(2);
    }

    [Fact]
    public async Task CreateAndList_BadInput_IsRefused()
    {
        var model = await Refused(() => cluster.Conversations.CreateConversationAsync(
            new CreateConversationRequest { Model = "nobody" },
            AsAlice,
            cancellationToken: Cancellation).ResponseAsync);
        var size = await Refused(() => cluster.Conversations.ListConversationsAsync(
            new ListConversationsRequest { PageSize = -1 }, AsAlice, cancellationToken: Cancellation).ResponseAsync);
        var token = await Refused(() => cluster.Conversations.ListConversationsAsync(
            new ListConversationsRequest { PageToken = "x" }, AsAlice, cancellationToken: Cancellation).ResponseAsync);

        Assert.Equal(
            (StatusCode.NotFound, StatusCode.InvalidArgument, StatusCode.InvalidArgument),
            (model.StatusCode, size.StatusCode, token.StatusCode));
        Assert.Contains("tiny", model.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"model":"nobody","messages":[{"role":"user","content":"hi"}]}""", 404, "model_not_found", "model")]
    [InlineData("""{"model":"tiny","messages":[]}""", 400, null, "messages")]
    [InlineData("""{"model":"tiny","messages":[{"role":"wizard","content":"hi"}]}""", 400, null, "messages[0].role")]
    [InlineData(
        """{"model":"tiny","messages":[{"role":"user","content":"hi"}],"max_tokens":-1}""", 400, null, "max_tokens")]
    [InlineData("""{"model":"tiny",""", 400, null, null)]
    public async Task Completions_BadInput_IsOpenAisErrorObject(
        string body, int status, string? code, string? parameter)
    {
        using var response = await cluster.Complete(body);

        var error = (await Json(response)).GetProperty("error");
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(
            ("invalid_request_error", code),
            (error.GetProperty("type").GetString(), error.GetProperty("code").GetString()));
        Assert.Equal(parameter, error.GetProperty("param").GetString());
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
    }

    [Fact]
    public async Task Completions_PromptOverContext_SaysBothNumbers()
    {
        using var response = await cluster.Complete(
            $$"""{"model":"tiny","stream":true,"messages":[{"role":"user","content":"{{new string('x', 5000)}}"}]}""");

        var error = (await Json(response)).GetProperty("error");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("context_length_exceeded", error.GetProperty("code").GetString());
        Assert.Equal(2048, error.GetProperty("n_ctx").GetInt32());
        Assert.True(error.GetProperty("n_prompt_tokens").GetInt32() > 5000);
    }

    [Fact]
    public async Task Completions_BodyOverLimit_IsTooLarge()
    {
        using var response = await cluster.Complete(
            $$"""{"model":"tiny","messages":[{"role":"user","content":"{{new string('x', 5 << 20)}}"}]}""");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("request_too_large", (await Json(response)).GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task Converse_MessageOverLimit_IsTooLarge()
    {
        var error = await Refused(async () => await cluster.Converse(
            new ConverseRequest { ConversationId = await cluster.NewConversation(), Text = new string('x', 5 << 20) }));

        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
    }
}
