using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Herd.Gateway.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Gateway.Tests.Hosting;

public sealed class PublicCertificateTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("herd-tls-");
    private readonly FakeTimeProvider _time = new();

    private string Certificate => Path.Combine(_folder.FullName, "tls.crt");

    private string Key => Path.Combine(_folder.FullName, "tls.key");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Current_FilesChange_IsTheNewOne()
    {
        Write("first");
        using var certificate = Make();
        Assert.Equal("CN=first", certificate.Current!.Subject);

        Write("second");
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal("CN=second", certificate.Current!.Subject);
    }

    [Fact]
    public void Current_FilesBecomeInvalid_IsTheOldOne()
    {
        Write("first");
        using var certificate = Make();

        File.WriteAllText(Certificate, "nothing");
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal("CN=first", certificate.Current!.Subject);
    }

    [Fact]
    public void Current_NoFiles_IsNull()
    {
        using var certificate = new PublicCertificate(
            Options.Create(new GatewayOptions()), _time, NullLogger<PublicCertificate>.Instance);

        Assert.Null(certificate.Current);
    }

    /// <summary>The certificate has its private key, so that connections can use it.</summary>
    [Fact]
    public async Task Current_InAHandshake_IsUsed()
    {
        Write("first");
        using var certificate = Make();
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        await client.ConnectAsync((System.Net.IPEndPoint)listener.LocalEndpoint, TestContext.Current.CancellationToken);
        using var accepted = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await using var server = new SslStream(accepted.GetStream());
        await using var tls = new SslStream(client.GetStream());

        await Task.WhenAll(
            server.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions { ServerCertificate = certificate.Current! },
                TestContext.Current.CancellationToken),
            tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "first", RemoteCertificateValidationCallback = (_, shown, _, _) =>
                        shown?.Subject == "CN=first",
                },
                TestContext.Current.CancellationToken));

        Assert.True(tls.IsAuthenticated);
    }

    private PublicCertificate Make() => new(
        Options.Create(new GatewayOptions { Certificate = Certificate, CertificateKey = Key }),
        _time,
        NullLogger<PublicCertificate>.Instance);

    private void Write(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(Certificate, made.ExportCertificatePem());
        File.WriteAllText(Key, key.ExportPkcs8PrivateKeyPem());
    }
}
