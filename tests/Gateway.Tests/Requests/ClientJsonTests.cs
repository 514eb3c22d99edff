using System.Net;
using System.Text;
using System.Text.Json;

namespace Herd.Gateway.Tests.Requests;

/// <summary>
/// No answer is a 500 for what a client sent. Every value of a valid body is replaced by everything that clients get
/// wrong, at every endpoint. The answer is the interface's own error with the field, or the request is served.
/// </summary>
public sealed class ClientJsonTests(GatewayServer server) : IClassFixture<GatewayServer>, IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = new Uri($"http://127.0.0.1:{server.HttpPort}") };

    public static TheoryData<int> Requests => [.. Enumerable.Range(0, ValidRequests.All.Length)];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _http.Dispose();

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Send_ValidRequest_IsServed(int request)
    {
        var (path, body) = ValidRequests.All[request];

        var (status, text) = await Send(path, Encoding.UTF8.GetBytes(body));

        Assert.True(status == HttpStatusCode.OK, $"{path}: {text}");
        Assert.Empty(server.TakeFailures());
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Send_AnotherValue_IsServedOrRefusedByField(int request)
    {
        var (path, body) = ValidRequests.All[request];
        foreach (var value in JsonMutations.Values)
        {
            foreach (var (at, changed) in JsonMutations.Replace(body, value))
            {
                var (status, text) = await Send(path, changed);
                if (status != HttpStatusCode.OK)
                {
                    AssertRefused(path, $"{at} = {value}", status, text, hasField: true);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Send_ValueThatIsNoJson_IsRefused(int request)
    {
        var (path, body) = ValidRequests.All[request];
        foreach (var value in JsonMutations.Faults)
        {
            foreach (var (at, changed) in JsonMutations.Replace(body, value))
            {
                var (status, text) = await Send(path, changed);

                AssertRefused(path, $"{at} = {value}", status, text, hasField: true);
            }
        }
    }

    /// <summary>Bodies that are cut, whose bytes are changed, or that are no JSON at all.</summary>
    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Send_ChangedBytes_IsServedOrRefused(int request)
    {
        var (path, body) = ValidRequests.All[request];
        var valid = Encoding.UTF8.GetBytes(body);
        var random = new Random(request);
        foreach (var bytes in Enumerable.Range(0, 200).Select(_ => Change(valid, random))
            .Concat([[0], [0xFF], [0x1F, 0x8B, 8, 0], "null"u8.ToArray(), "[]"u8.ToArray(), "5"u8.ToArray()])
            .Concat([Encoding.Unicode.GetBytes(body), Encoding.UTF32.GetBytes(body), "\"a\""u8.ToArray()]))
        {
            var (status, text) = await Send(path, bytes);
            if (status != HttpStatusCode.OK)
            {
                AssertRefused(path, Convert.ToHexString(bytes), status, text, hasField: false);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Send_ByteOrderMark_IsServed(int request)
    {
        var (path, body) = ValidRequests.All[request];

        var (status, text) = await Send(path, [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(body)]);

        Assert.True(status == HttpStatusCode.OK, $"{path}: {text}");
    }

    [Theory]
    [InlineData("application/json; charset=utf-16", null, "Content-Type")]
    [InlineData("application/json; charset=iso-8859-1", null, "Content-Type")]
    [InlineData("application/json", "gzip", "Content-Encoding")]
    [InlineData("application/json", "br, gzip", "Content-Encoding")]
    public async Task Send_BodyInAnotherCoding_IsRefusedByHeader(string type, string? coding, string field)
    {
        foreach (var (path, body) in ValidRequests.All)
        {
            using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            content.Headers.TryAddWithoutValidation("Content-Type", type);
            if (coding is not null)
            {
                content.Headers.TryAddWithoutValidation("Content-Encoding", coding);
            }

            using var response = await _http.PostAsync(new Uri(path, UriKind.Relative), content, Cancellation);
            var text = await response.Content.ReadAsStringAsync(Cancellation);

            AssertRefused(path, type, response.StatusCode, text, hasField: true);
            Assert.Contains(field, text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("nonsense")]
    [InlineData(";;;")]
    public async Task Send_OtherContentType_IsReadAsJson(string type)
    {
        foreach (var (path, body) in ValidRequests.All)
        {
            using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            content.Headers.TryAddWithoutValidation("Content-Type", type);
            using var response = await _http.PostAsync(new Uri(path, UriKind.Relative), content, Cancellation);

            var text = await response.Content.ReadAsStringAsync(Cancellation);
            Assert.True((int)response.StatusCode < 500, $"{path}: {text}");
        }

        Assert.Empty(server.TakeFailures());
    }

    [Fact]
    public async Task Send_HugeText_IsServed()
    {
        var (status, text) = await Send("/tokenize", Encoding.UTF8.GetBytes(
            $$"""{"content":"{{new string('\n', 500_000).Replace("\n", "\\n", StringComparison.Ordinal)}}"}"""));

        Assert.True(status == HttpStatusCode.OK, text);
    }

    private static byte[] Change(byte[] valid, Random random)
    {
        byte[] bytes = [.. valid];
        for (var i = random.Next(1, 4); i > 0 && bytes.Length > 1; i--)
        {
            var at = random.Next(bytes.Length - 1);
            bytes = random.Next(4) switch
            {
                0 => [.. bytes[..(at + 1)]],
                1 => [.. bytes[..at], .. bytes[(at + 1)..]],
                2 => [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]],
                _ => [.. bytes[..at], (byte)random.Next(256), .. bytes[(at + 1)..]],
            };
        }

        return bytes;
    }

    private async Task<(HttpStatusCode Status, string Text)> Send(string path, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        using var response = await _http.PostAsync(new Uri(path, UriKind.Relative), content, Cancellation);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }

    /// <summary>Checks that a refusal has the form of its interface, and names the field.</summary>
    private void AssertRefused(string path, string what, HttpStatusCode status, string text, bool hasField)
    {
        var context = $"{path} {what[..Math.Min(what.Length, 400)]}: {status} {text}";
        Assert.True((int)status is >= 400 and < 500, context);
        Assert.True(server.TakeFailures() is [], context);
        var body = Parse(text, context);
        var (message, field) = path switch
        {
            _ when path.StartsWith("/v1/messages", StringComparison.Ordinal) => (
                Text(body, "error", "message"), (string?)null),
            _ when path.StartsWith("/api/", StringComparison.Ordinal) => (Text(body, "error"), null),
            _ when path.StartsWith("/herd/", StringComparison.Ordinal) => (Text(body, "message"), null),
            _ => (Text(body, "error", "message"), Text(body, "error", "param")),
        };
        Assert.False(string.IsNullOrEmpty(message), context);
        var isNamed = field is { Length: > 0 }
            || message.Contains('\'', StringComparison.Ordinal)
            || message.Contains(" at ", StringComparison.Ordinal);
        Assert.True(isNamed || !hasField, context);
    }

    private static JsonElement Parse(string text, string context)
    {
        try
        {
            return JsonSerializer.Deserialize<JsonElement>(text);
        }
        catch (JsonException)
        {
            throw new InvalidOperationException($"The body is not JSON. {context}");
        }
    }

    private static string? Text(JsonElement body, params string[] path) =>
        path.Aggregate(body, (at, name) => at.GetProperty(name)).GetString();
}
