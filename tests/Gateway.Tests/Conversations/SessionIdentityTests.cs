using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Gateway.Conversations;
using Herd.Gateway.Hosting;
using Herd.Gateway.OpenAi;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Tests.Conversations;

public sealed class SessionIdentityTests
{
    private const string First = """{"role":"system","content":"s"},{"role":"user","content":"hello"}""";
    private const string Later = First + """,{"role":"assistant","content":"hi"},{"role":"user","content":"more"}""";

    [Fact]
    public void From_LaterTurnOfSameChat_IsTheSame()
    {
        Assert.Equal(Identify(Body(First)), Identify(Body(Later)));
        Assert.NotEqual(Identify(Body(First)), Identify(Body("""{"role":"user","content":"hello"}""")));
        Assert.NotEqual(
            Identify(Body(First)), Identify(Body(First).Replace("\"m\"", "\"other\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void From_SourceIsPresent_DecidesInTheConfiguredOrder()
    {
        var byConversation = Identify(Body(First, ""","conversation":"c","prompt_cache_key":"k" """));

        Assert.Equal(
            byConversation, Identify(Body(Later, ""","conversation":{"id":"c"},"prompt_cache_key":"other" """)));
        Assert.NotEqual(byConversation, Identify(Body(First, ""","prompt_cache_key":"c" """)));
        Assert.Equal(
            Identify(Body(First, ""","metadata":{"user_id":"u"} """)),
            Identify(Body(Later, ""","metadata":{"user_id":"u"} """)));
        Assert.Equal(
            Identify(Body(First), header: "h"), Identify(Body("""{"role":"user","content":"x"}"""), header: "h"));
        Assert.NotEqual(Identify(Body(First), header: "h"), Identify(Body(First)));
    }

    [Fact]
    public void From_OtherSourcesConfigured_UsesThem()
    {
        var body = Body(First, ""","prompt_cache_key":"k" """);

        Assert.Equal(Identify(Body(First), sources: ["body:user"]), Identify(body, sources: ["body:user"]));
    }

    [Fact]
    public void From_AnyText_DoesNotRevealIt()
    {
        Assert.Matches("^http_[0-9a-f]{32}$", Identify(Body(First)));
    }

    private static string Body(string messages, string more = "") =>
        $$"""{"model":"m","messages":[{{messages}}]{{more}}}""";

    private static string Identify(string body, string? header = null, string[]? sources = null)
    {
        var request = JsonSerializer.Deserialize(body, OpenAiJson.Default.ChatRequest)!;
        var headers = new HeaderDictionary();
        if (header is not null)
        {
            headers["X-Session-Id"] = header;
        }

        var identity = new SessionIdentity(Options.Create(new GatewayOptions { SessionIdentity = sources ?? [] }));
        return identity.From(request.Rest, ChatRequestReader.ToTurn(request, AnswerMarkup.None), headers);
    }
}
